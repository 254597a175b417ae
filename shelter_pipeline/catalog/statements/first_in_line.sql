-- The files that nobody has tried yet and that would be fetched first. Reads all scores.
SELECT asset.id
  FROM priority
  JOIN asset ON asset.id = priority.asset_id
 WHERE asset.state = 'pending'
   AND asset.reason IS NULL
   AND NOT priority.excluded
 ORDER BY priority.score DESC, asset.id
 LIMIT :shown;
