-- What was tried on each day (UTC) and how it ended, of all files or of those of these organizations; words of nodes that
-- count for nothing are left out. `new_bytes` are of files that were stored whole on that day.
SELECT (capture.finished_at AT TIME ZONE 'UTC')::date AS day,
       count(*) AS captures,
       count(*) FILTER (WHERE verdict = 'stored') AS stored,
       count(*) FILTER (WHERE verdict = 'unchanged') AS unchanged,
       count(*) FILTER (WHERE verdict = 'transient') AS transient,
       count(*) FILTER (WHERE verdict = 'permanent') AS permanent,
       count(*) FILTER (WHERE verdict = 'refused') AS refused,
       count(*) FILTER (WHERE verdict = 'damaged') AS damaged,
       count(*) FILTER (WHERE verdict = 'suspect') AS suspect,
       least(coalesce(sum(size) FILTER (WHERE verdict = 'stored'), 0), 9223372036854775807)::bigint AS new_bytes,
       least(coalesce(sum(wire_bytes), 0), 9223372036854775807)::bigint AS wire_bytes
  FROM capture
 WHERE NOT capture.late
   AND (CAST(:organizations AS bigint[]) IS NULL
        OR capture.asset_id IN
-- include files_in_scope
       )
 GROUP BY 1
 ORDER BY 1;
