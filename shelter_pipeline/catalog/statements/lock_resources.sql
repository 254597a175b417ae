-- A merge asks for the resources it may change in the order in which discovery does, so that neither deadlocks.
SELECT resource.id
  FROM resource
  JOIN dataset ON dataset.id = resource.dataset_id
  JOIN staged_dataset USING (portal_id, identifier)
 ORDER BY resource.id
   FOR NO KEY UPDATE OF resource;
