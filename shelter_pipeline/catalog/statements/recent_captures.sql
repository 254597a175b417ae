-- What was fetched, newest first, below an id: a page of it, each with one dataset that lists the file.
SELECT capture.id, capture.asset_id, asset.url, asset.kind, capture.verdict, capture.reason, capture.size, capture.late,
       capture.finished_at, capture.node_id IS NOT NULL AS by_node, node.name AS node, owner.dataset_id, owner.title, owner.organization,
       owner.organization_name
  FROM (SELECT *
          FROM capture
         WHERE CAST(:before AS bigint) IS NULL OR capture.id < :before
         ORDER BY capture.id DESC
         LIMIT :limit) AS capture
  JOIN asset ON asset.id = capture.asset_id
  LEFT JOIN node ON node.id = capture.node_id
-- include owner_of_asset
 ORDER BY capture.id DESC;
