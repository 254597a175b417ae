-- The files of lost datasets, and of the datasets that list a lost link.
SELECT DISTINCT asset_resource.asset_id
  FROM (SELECT dataset_id FROM loss WHERE id = ANY (:loss_ids) AND dataset_id IS NOT NULL
         UNION
        SELECT resource.dataset_id
          FROM loss
          JOIN asset_resource ON asset_resource.asset_id = loss.asset_id
          JOIN resource ON resource.id = asset_resource.resource_id
         WHERE loss.id = ANY (:loss_ids)) AS touched
  JOIN resource ON resource.dataset_id = touched.dataset_id
  JOIN asset_resource ON asset_resource.resource_id = resource.id;
