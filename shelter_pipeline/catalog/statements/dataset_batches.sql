-- The batches that fetched, or are to fetch, files of one dataset, newest first; of a huge one, those of :most files.
SELECT batch.id, batch.key, batch.state, batch.run_id, batch.planned_at, batch.started_at, batch.finished_at, batch.files,
       member.files AS of_this
  FROM (SELECT file.batch_id, count(*) AS files
          FROM (SELECT DISTINCT asset.id, asset.batch_id
                  FROM resource
                  JOIN asset_resource ON asset_resource.resource_id = resource.id
                  JOIN asset ON asset.id = asset_resource.asset_id
                 WHERE resource.dataset_id = :dataset_id
                   AND asset.batch_id IS NOT NULL
                 LIMIT :most) AS file
         GROUP BY file.batch_id) AS member
  JOIN batch ON batch.id = member.batch_id
 ORDER BY batch.id DESC
 LIMIT :limit;
