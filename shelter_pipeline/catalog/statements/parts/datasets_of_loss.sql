-- The dataset that a `loss` is of, or those that list the link that it is of.
(SELECT loss.dataset_id AS id
 UNION ALL
 SELECT resource.dataset_id
   FROM asset_resource
   JOIN resource ON resource.id = asset_resource.resource_id
  WHERE asset_resource.asset_id = loss.asset_id)
