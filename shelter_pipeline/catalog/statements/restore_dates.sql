-- A restored record is as old as the manifest says, not as the rebuild.
UPDATE dataset
   SET first_seen_at = least(dataset.first_seen_at, told.first_seen_at), changed_at = told.changed_at
  FROM unnest(CAST(:dataset_ids AS bigint[]), CAST(:first_seen AS timestamptz[]), CAST(:changed AS timestamptz[]))
       AS told (dataset_id, first_seen_at, changed_at)
 WHERE dataset.id = told.dataset_id;
