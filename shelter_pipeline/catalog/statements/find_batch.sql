-- One batch by its partition key.
SELECT batch.id, batch.key, organization.key AS organization, batch.host, batch.state, batch.attempt, batch.urgent,
       batch.score, batch.files, batch.bytes
  FROM batch
  JOIN organization ON organization.id = batch.organization_id
 WHERE batch.key = :key;
