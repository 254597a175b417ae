-- The portal's own records of the datasets that list a file of a batch, by their bytes' own SHA-256: the record's hash
-- leaves out what changes by itself, so it does not name bytes. The same datasets as of `manifest_datasets`.
SELECT encode(sha256(convert_to(dataset.raw, 'UTF8')), 'hex') AS record, dataset.raw
  FROM dataset
 WHERE dataset.id IN (SELECT resource.dataset_id
                        FROM (SELECT asset_id FROM capture WHERE batch_id = :batch_id
                               UNION
                              SELECT id FROM asset WHERE batch_id = :batch_id
                               UNION
                              SELECT unnest(CAST(:asset_ids AS bigint[]))) AS member
                        JOIN asset_resource USING (asset_id)
                        JOIN resource ON resource.id = asset_resource.resource_id);
