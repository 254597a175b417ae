-- The batches of one organization, newest first, whatever became of them.
SELECT batch.id, batch.key, batch.host, batch.state, batch.attempt, batch.files, batch.bytes, batch.planned_at,
       batch.started_at, batch.finished_at, batch.run_id
  FROM batch
 WHERE batch.organization_id = :organization_id
 ORDER BY batch.number DESC
 LIMIT :limit;
