-- Batches that used up their attempts, latest first, each with the reasons of its files that are not held.
SELECT batch.id, batch.key, batch.host, batch.attempt, batch.files, batch.finished_at, batch.run_id,
       organization.key AS organization, organization.name AS organization_name,
       coalesce((SELECT jsonb_object_agg(reason, files)
                   FROM (SELECT asset.reason, count(*) AS files
                           FROM asset
                          WHERE asset.batch_id = batch.id AND asset.state <> 'held' AND asset.reason IS NOT NULL
                          GROUP BY asset.reason) AS by_reason), '{}'::jsonb) AS failed
  FROM (SELECT * FROM batch WHERE state = 'failed' ORDER BY finished_at DESC NULLS LAST, id DESC LIMIT :limit) AS batch
  JOIN organization ON organization.id = batch.organization_id
 ORDER BY batch.finished_at DESC NULLS LAST, batch.id DESC;
