-- Organizations with nothing left to run, whose last batch ended after a moment.
SELECT organization.key, to_char(max(batch.finished_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ended_at
  FROM batch
  JOIN organization ON organization.id = batch.organization_id
 GROUP BY organization.id, organization.key
HAVING bool_and(batch.finished_at IS NOT NULL AND batch.state <> 'running')
   AND (CAST(:since AS text) IS NULL OR max(batch.finished_at) > CAST(:since AS timestamptz))
 ORDER BY max(batch.finished_at);
