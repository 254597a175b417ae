-- What should run next, by the queue's partial index.
SELECT batch.id, batch.key, organization.key AS organization, batch.host, batch.state, batch.attempt, batch.urgent,
       batch.score, batch.files, batch.bytes
  FROM batch
  JOIN organization ON organization.id = batch.organization_id
 WHERE batch.state = 'planned'
   AND batch.not_before <= now()
   AND batch.key <> ALL (:exclude)
 ORDER BY batch.urgent DESC, batch.score DESC, batch.id
 LIMIT :limit;
