-- Batches of an organization on whose files others are at work: who holds live claims, and on how many. A claim counts
-- whichever batch it was made for: a file may have come into another one since.
SELECT batch.key, claim.holder, count(*) AS files
  FROM batch
  JOIN asset ON asset.batch_id = batch.id
  JOIN claim ON claim.asset_id = asset.id AND claim.node_id IS NULL AND claim.state = 'held' AND claim.lease_until > now()
 WHERE batch.organization_id = :organization_id
   AND batch.state IN ('planned', 'running')
 GROUP BY batch.id, claim.holder
 ORDER BY batch.id, claim.holder;
