-- The files of a dataset, what comes first first; those without a score last.
SELECT asset.id AS asset_id, asset.url, asset.state, priority.level, priority.score, priority.excluded
  FROM (SELECT DISTINCT asset_resource.asset_id
          FROM resource JOIN asset_resource ON asset_resource.resource_id = resource.id
         WHERE resource.dataset_id = :dataset_id) AS member
  JOIN asset ON asset.id = member.asset_id
  LEFT JOIN priority ON priority.asset_id = asset.id
 ORDER BY priority.score DESC NULLS LAST, asset.id
 LIMIT :limit;
