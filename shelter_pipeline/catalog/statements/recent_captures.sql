-- What was fetched, newest first, below an id: a page of it, each with one dataset that lists the file.
SELECT capture.id, capture.asset_id, asset.url, capture.verdict, capture.reason, capture.size, capture.late,
       capture.finished_at, node.name AS node, owner.dataset_id, owner.title, owner.organization,
       owner.organization_name
  FROM (SELECT *
          FROM capture
         WHERE CAST(:before AS bigint) IS NULL OR capture.id < :before
         ORDER BY capture.id DESC
         LIMIT :limit) AS capture
  JOIN asset ON asset.id = capture.asset_id
  LEFT JOIN node ON node.id = capture.node_id
  LEFT JOIN LATERAL (
       SELECT dataset.id AS dataset_id, dataset.title, organization.key AS organization,
              organization.name AS organization_name
         FROM asset_resource
         JOIN resource ON resource.id = asset_resource.resource_id
         JOIN dataset ON dataset.id = resource.dataset_id
         JOIN organization ON organization.id = dataset.organization_id
        WHERE asset_resource.asset_id = capture.asset_id
        ORDER BY dataset.id
        LIMIT 1
  ) AS owner ON true
 ORDER BY capture.id DESC;
