-- A merge asks for the resources it may change in the order in which discovery does, so that neither deadlocks.
SELECT resource.id
  FROM resource
  JOIN staged_dataset ON staged_dataset.id = resource.dataset_id
 ORDER BY resource.id
   FOR NO KEY UPDATE OF resource;
