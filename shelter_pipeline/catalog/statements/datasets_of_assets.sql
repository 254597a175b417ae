-- Every dataset that lists one of these files.
SELECT DISTINCT resource.dataset_id
  FROM asset_resource
  JOIN resource ON resource.id = asset_resource.resource_id
 WHERE asset_resource.asset_id = ANY (CAST(:asset_ids AS bigint[]));
