-- A dataset as the scores of its files have it.
SELECT dataset.id AS dataset_id, dataset.slug, dataset.identifier, dataset.title, organization.key AS organization,
       count(asset.id) AS files, count(asset.id) FILTER (WHERE asset.state = 'held') AS held,
       max(priority.score) AS best_score, max(priority.level) AS best_level, avg(priority.score) AS mean_score
  FROM dataset
  JOIN organization ON organization.id = dataset.organization_id
  LEFT JOIN (SELECT DISTINCT resource.dataset_id, asset_resource.asset_id
               FROM resource JOIN asset_resource ON asset_resource.resource_id = resource.id
              WHERE resource.dataset_id = :dataset_id) AS member ON member.dataset_id = dataset.id
  LEFT JOIN asset ON asset.id = member.asset_id
  LEFT JOIN priority ON priority.asset_id = asset.id
 WHERE dataset.id = :dataset_id
 GROUP BY dataset.id, organization.key;
