(SELECT DISTINCT asset_resource.asset_id AS id
   FROM asset_resource
   JOIN resource ON resource.id = asset_resource.resource_id
   JOIN dataset ON dataset.id = resource.dataset_id
  WHERE dataset.organization_id = ANY (CAST(:organizations AS bigint[])))
