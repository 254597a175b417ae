  LEFT JOIN LATERAL (
       SELECT dataset.id AS dataset_id, dataset.title, organization.key AS organization,
              organization.name AS organization_name
         FROM asset_resource
         JOIN resource ON resource.id = asset_resource.resource_id
         JOIN dataset ON dataset.id = resource.dataset_id
         JOIN organization ON organization.id = dataset.organization_id
        WHERE asset_resource.asset_id = asset.id
        ORDER BY dataset.id
        LIMIT 1
  ) AS owner ON true
