-- The batches that come next, in the order in which they are started.
SELECT batch.id, batch.key, batch.host, batch.attempt, batch.urgent, batch.score, batch.files, batch.bytes,
       batch.not_before, batch.not_before > now() AS rests, batch.run_id,
       organization.key AS organization, organization.name AS organization_name
  FROM batch
  JOIN organization ON organization.id = batch.organization_id
 WHERE batch.state = 'planned'
 ORDER BY batch.urgent DESC, batch.score DESC, batch.id
 LIMIT :limit;
