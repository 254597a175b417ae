-- The planner learns how much is staged; the wide columns need not be read for it.
ANALYZE staged_dataset (id), staged_resource (dataset_id, key);
