-- Which datasets list a file, and how they lead to it.
SELECT dataset.id AS dataset_id, dataset.slug AS dataset, dataset.title, organization.key AS organization,
       portal.slug AS portal, dataset.state, resource.id AS resource_id, resource.url AS resource, asset_resource.via
  FROM asset_resource
  JOIN resource ON resource.id = asset_resource.resource_id
  JOIN dataset ON dataset.id = resource.dataset_id
  JOIN organization ON organization.id = dataset.organization_id
  JOIN portal ON portal.id = dataset.portal_id
 WHERE asset_resource.asset_id = :asset_id
 ORDER BY dataset.id, resource.position
 LIMIT :limit;
