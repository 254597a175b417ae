-- What would be fetched first.
SELECT asset.url, priority.level, round(priority.score::numeric, 4)::float AS score, priority.reasons
  FROM priority
  JOIN asset ON asset.id = priority.asset_id
 WHERE asset.state = 'pending'
   AND NOT priority.excluded
 ORDER BY priority.score DESC, asset.id
 LIMIT :limit;
