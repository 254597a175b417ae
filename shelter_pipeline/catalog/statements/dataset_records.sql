-- The portal's own records of the datasets that the assets of a batch belong to.
SELECT DISTINCT encode(dataset.record_hash, 'hex') AS record, dataset.raw
  FROM asset
  JOIN asset_resource ON asset_resource.asset_id = asset.id
  JOIN resource ON resource.id = asset_resource.resource_id
  JOIN dataset ON dataset.id = resource.dataset_id
 WHERE asset.batch_id = :batch_id;
