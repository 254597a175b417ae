-- What nothing leads to any more leaves the batch it waits in; found again, it is planned again.
UPDATE asset
   SET batch_id = NULL
  FROM batch
 WHERE asset.id IN (SELECT asset_id FROM staged_unlinked)
   AND batch.id = asset.batch_id
   AND batch.state = 'planned'
   AND NOT EXISTS (SELECT FROM asset_resource WHERE asset_resource.asset_id = asset.id);
