-- Batches that are at work, longest first, and how many of their files came to an end in this attempt.
SELECT batch.id, batch.key, batch.host, batch.attempt, batch.urgent, batch.files, batch.bytes, batch.started_at, batch.run_id,
       organization.key AS organization, organization.name AS organization_name, ended.files AS ended_files,
       ended.stored_bytes
  FROM (SELECT * FROM batch WHERE state = 'running' ORDER BY started_at, id LIMIT :limit) AS batch
  JOIN organization ON organization.id = batch.organization_id
 CROSS JOIN LATERAL (
       SELECT count(DISTINCT capture.asset_id) AS files,
              coalesce(sum(capture.size) FILTER (WHERE capture.verdict = 'stored'), 0)::bigint AS stored_bytes
         FROM capture
        WHERE capture.batch_id = batch.id AND NOT capture.late
          AND capture.finished_at >= batch.started_at
 ) AS ended
 ORDER BY batch.started_at, batch.id;
