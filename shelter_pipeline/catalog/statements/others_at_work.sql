-- Batches of an organization on which others are at work: who holds live claims, and on how many files.
SELECT batch.key, claim.holder, count(*) AS files
  FROM batch
  JOIN claim ON claim.batch_id = batch.id AND claim.state = 'held' AND claim.lease_until > now()
 WHERE batch.organization_id = :organization_id
   AND batch.state IN ('planned', 'running')
 GROUP BY batch.id, claim.holder
 ORDER BY batch.id, claim.holder;
