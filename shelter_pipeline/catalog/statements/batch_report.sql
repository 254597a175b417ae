-- The files of a batch by the verdict each has now.
SELECT asset.state, coalesce(asset.reason, 'waiting') AS reason, count(*) AS files,
       coalesce(sum(asset.size) FILTER (WHERE asset.state = 'held'), 0)::bigint AS bytes
  FROM asset
 WHERE asset.batch_id = :batch_id
 GROUP BY 1, 2
 ORDER BY 3 DESC, 1, 2;
