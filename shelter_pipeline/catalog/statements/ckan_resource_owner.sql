-- The dataset of a resource: by our number, or by the id that its portal gives it, the first that was ever seen.
SELECT found.dataset_id
  FROM (SELECT dataset_id, id FROM resource WHERE id = :number
        UNION ALL
        SELECT dataset_id, id FROM resource WHERE key = :given
        UNION ALL
        (SELECT resource.dataset_id, resource.id
           FROM asset_resource
           JOIN resource ON resource.id = asset_resource.resource_id
          WHERE asset_resource.asset_id = :asset
          ORDER BY resource.id
          LIMIT 1)) AS found
 ORDER BY found.id
 LIMIT 1;
