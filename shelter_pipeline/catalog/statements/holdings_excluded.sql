-- Files that wait although an override says that they shall not come: never tried, and tried before.
SELECT count(*) FILTER (WHERE asset.reason IS NULL) AS waiting,
       count(*) FILTER (WHERE asset.reason IS NOT NULL) AS resting
  FROM priority
  JOIN asset ON asset.id = priority.asset_id
 WHERE priority.excluded
   AND asset.state = 'pending';
