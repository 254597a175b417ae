-- The files of each level, ten first: how many are held, wait, rest, or were given up, and how large what waits is as
-- far as that is known. Reads all scores.
SELECT priority.level, count(*) AS files, count(*) FILTER (WHERE asset.state = 'held') AS held,
       count(*) FILTER (WHERE asset.state = 'pending' AND asset.reason IS NULL AND NOT priority.excluded) AS waiting,
       count(*) FILTER (WHERE asset.state = 'pending' AND asset.reason IS NOT NULL AND NOT priority.excluded) AS resting,
       count(*) FILTER (WHERE asset.state IN ('failed', 'dead') AND NOT priority.excluded) AS failed,
       count(*) FILTER (WHERE asset.state <> 'held' AND priority.excluded) AS excluded,
       least(coalesce(sum(coalesce(asset.expected_size, asset.estimated_size))
                          FILTER (WHERE asset.state = 'pending' AND NOT priority.excluded), 0),
             9223372036854775807)::bigint AS waiting_bytes,
       count(*) FILTER (WHERE asset.state = 'pending' AND NOT priority.excluded
                          AND coalesce(asset.expected_size, asset.estimated_size) IS NULL) AS unknown_sizes
  FROM priority
  JOIN asset ON asset.id = priority.asset_id
 GROUP BY priority.level
 ORDER BY priority.level DESC;
