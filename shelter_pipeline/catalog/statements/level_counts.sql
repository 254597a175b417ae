-- How the assets spread over the ten levels.
SELECT priority.level, count(*) AS files, count(*) FILTER (WHERE asset.state = 'held') AS held,
       least(coalesce(sum(coalesce(asset.size, asset.expected_size, asset.estimated_size)), 0),
             9223372036854775807)::bigint AS bytes
  FROM priority
  JOIN asset ON asset.id = priority.asset_id
 GROUP BY priority.level
 ORDER BY priority.level DESC;
