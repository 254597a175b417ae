-- The batches of one organization that are still to run.
SELECT batch.id, batch.key, organization.key AS organization, batch.host, batch.state, batch.attempt, batch.urgent,
       batch.score, batch.files, batch.bytes
  FROM batch
  JOIN organization ON organization.id = batch.organization_id
 WHERE batch.organization_id = :organization_id
   AND batch.state IN ('planned', 'running')
 ORDER BY batch.urgent DESC, batch.score DESC, batch.id;
