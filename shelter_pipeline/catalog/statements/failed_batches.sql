-- Organizations with batches that used up their attempts, with how many and the first of them.
SELECT organization.key AS organization, count(*) AS batches, min(batch.key) AS first
  FROM batch
  JOIN organization ON organization.id = batch.organization_id
 WHERE batch.state = 'failed'
 GROUP BY organization.key
 ORDER BY organization.key;
