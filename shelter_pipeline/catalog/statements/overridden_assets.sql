-- The files of a target, at most `limit` of them, for whoever scores them again.
SELECT asset.id FROM asset WHERE asset.id = CAST(:asset_id AS bigint)
UNION
SELECT asset.id FROM asset WHERE asset.host = CAST(:host AS text)
UNION
SELECT asset_resource.asset_id
  FROM resource
  JOIN asset_resource ON asset_resource.resource_id = resource.id
 WHERE resource.dataset_id = CAST(:dataset_id AS bigint)
UNION
SELECT asset_resource.asset_id
  FROM dataset
  JOIN resource ON resource.dataset_id = dataset.id
  JOIN asset_resource ON asset_resource.resource_id = resource.id
 WHERE dataset.organization_id = CAST(:organization_id AS bigint)
 LIMIT :limit;
