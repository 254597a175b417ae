-- Files of the highest levels that we do not hold, in one row: how many, and those that come first. Reads all scores.
WITH wanting AS MATERIALIZED (
    SELECT asset.id, priority.score, coalesce(asset.expected_size, asset.estimated_size) AS bytes
      FROM priority
      JOIN asset ON asset.id = priority.asset_id
     WHERE priority.level >= :level
       AND NOT priority.excluded
       AND asset.state <> 'held'
)
SELECT (SELECT count(*) FROM wanting) AS files,
       (SELECT least(coalesce(sum(bytes), 0), 9223372036854775807)::bigint FROM wanting) AS bytes,
       ARRAY(SELECT id FROM wanting ORDER BY score DESC, id LIMIT :shown) AS first;
