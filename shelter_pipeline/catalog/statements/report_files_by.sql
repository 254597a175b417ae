-- Files counted once each, of all or of these organizations: in all, by kind, by format, and by reason where not held.
WITH file AS (
    SELECT asset.state, asset.kind, left(upper(asset.format), 100) AS format, asset.size,
           CASE WHEN asset.state <> 'held' THEN asset.reason END AS reason
      FROM asset
     WHERE CAST(:organizations AS bigint[]) IS NULL
        OR asset.id IN
-- include files_in_scope
)
SELECT CASE grouping(kind, format, reason) WHEN 3 THEN 'kind' WHEN 5 THEN 'format' WHEN 6 THEN 'reason' ELSE 'all' END AS by,
       coalesce(CASE WHEN grouping(kind) = 0 THEN max(asset_kind.label) END, kind, format, reason) AS name,
       count(*) AS files,
       count(*) FILTER (WHERE state = 'held') AS held_files,
       count(*) FILTER (WHERE state = 'pending' AND reason IS NULL) AS waiting_files,
       count(*) FILTER (WHERE state = 'pending' AND reason IS NOT NULL) AS resting_files,
       count(*) FILTER (WHERE state IN ('failed', 'dead')) AS failed_files,
       least(coalesce(sum(size) FILTER (WHERE state = 'held'), 0), 9223372036854775807)::bigint AS held_bytes
  FROM file
  LEFT JOIN asset_kind ON asset_kind.slug = file.kind
 GROUP BY GROUPING SETS ((), (kind), (format), (reason))
 ORDER BY files DESC, name;
