-- The files that resources of some datasets lead to: the one behind each link that is a file itself, and of those found
-- further on the held ones, at most :most of a dataset; each with when the source was last seen to have these bytes.
SELECT wanted.id AS dataset_id, file.resource_id, file.asset_id, file.url, file.via, file.state, file.reason,
       file.sha256, file.size, file.media_type, seen.captured_at,
       file.state = 'held' AND EXISTS (SELECT FROM testimony
                                        WHERE testimony.asset_id = file.asset_id AND testimony.sha256 = file.sha256
                                          AND testimony.finding = 'open') AS unconfirmed
  FROM unnest(CAST(:ids AS bigint[])) AS wanted (id)
 CROSS JOIN LATERAL (
       SELECT resource.id AS resource_id, resource.position, asset.id AS asset_id, asset.url, asset_resource.via,
              asset.state, asset.reason, asset.sha256, asset.size, blob.media_type
         FROM resource
         JOIN asset_resource ON asset_resource.resource_id = resource.id
         JOIN asset ON asset.id = asset_resource.asset_id
         LEFT JOIN blob ON blob.sha256 = asset.sha256
        WHERE resource.dataset_id = wanted.id
          AND (asset_resource.via = 'direct' OR asset.state = 'held')
        ORDER BY asset_resource.via = 'direct' DESC, resource.position, resource.id, asset.id
        LIMIT :most) AS file
  LEFT JOIN LATERAL (
       SELECT max(coalesce(capture.finished_at, capture.started_at)) AS captured_at
         FROM capture
        WHERE capture.asset_id = file.asset_id
          AND capture.verdict IN ('stored', 'unchanged')
          AND NOT capture.late) AS seen ON file.sha256 IS NOT NULL
 ORDER BY wanted.id, file.position, file.resource_id, file.asset_id;
