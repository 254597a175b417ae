-- Before a record is replaced it is kept: no metadata that was once seen is lost.
INSERT INTO dataset_version (dataset_id, record_hash, raw, valid_from, replaced_by_harvest_id)
SELECT dataset.id, dataset.record_hash, dataset.raw, dataset.changed_at, :harvest_id
  FROM dataset
  JOIN staged_dataset USING (portal_id, identifier)
 WHERE dataset.record_hash <> staged_dataset.record_hash;
