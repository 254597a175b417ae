-- The path from a resource to each file it leads to; one that is known stays.
INSERT INTO asset_resource (asset_id, resource_id, via, path, why)
SELECT DISTINCT ON (asset.id, resource.id) asset.id, resource.id, told.via, told.path, told.why
  FROM restored_link AS told
  JOIN asset ON asset.url_hash = told.url_hash
  JOIN resource ON resource.dataset_id = told.dataset_id AND resource.key = told.resource_key
 ORDER BY asset.id, resource.id
    ON CONFLICT (asset_id, resource_id) DO NOTHING;
