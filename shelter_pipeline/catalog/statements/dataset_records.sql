-- The portal's own records of the datasets that the assets of a batch belong to, by their bytes' own SHA-256:
-- the record's hash leaves out what changes by itself, so it does not name bytes.
SELECT encode(sha256(convert_to(dataset.raw, 'UTF8')), 'hex') AS record, dataset.raw
  FROM dataset
 WHERE dataset.id IN (SELECT resource.dataset_id
                        FROM asset
                        JOIN asset_resource ON asset_resource.asset_id = asset.id
                        JOIN resource ON resource.id = asset_resource.resource_id
                       WHERE asset.batch_id = :batch_id);
