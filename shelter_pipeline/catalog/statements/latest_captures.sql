-- The newest captures, newest first, each with one dataset that lists its file.
SELECT latest.id, latest.asset_id, asset.url, asset.kind, latest.verdict, latest.reason, latest.size,
       latest.node_id IS NOT NULL AS by_node, latest.finished_at, listed.dataset_id, listed.title, listed.organization,
       listed.organization_name
  FROM (SELECT id, asset_id, verdict, reason, size, node_id, finished_at
          FROM capture
         ORDER BY id DESC
         LIMIT :limit) AS latest
  JOIN asset ON asset.id = latest.asset_id
  LEFT JOIN LATERAL (SELECT dataset.id AS dataset_id, dataset.title, organization.key AS organization,
                            organization.name AS organization_name
                       FROM asset_resource
                       JOIN resource ON resource.id = asset_resource.resource_id
                       JOIN dataset ON dataset.id = resource.dataset_id
                       JOIN organization ON organization.id = dataset.organization_id
                      WHERE asset_resource.asset_id = latest.asset_id
                      ORDER BY asset_resource.resource_id
                      LIMIT 1) AS listed ON true
 ORDER BY latest.id DESC;
