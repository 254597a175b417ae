-- Before a record is replaced it is kept, with what became of it: no metadata that was once seen is lost.
INSERT INTO dataset_version
       (dataset_id, record_hash, raw, valid_from, replaced_by_harvest_id, changes, substantive)
SELECT dataset.id, dataset.record_hash, dataset.raw, dataset.changed_at, :harvest_id,
       staged_dataset.changes, staged_dataset.substantive
  FROM staged_dataset
  JOIN dataset USING (id)
 WHERE dataset.record_hash <> staged_dataset.record_hash
 ORDER BY dataset.id;
