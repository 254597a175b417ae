-- Recorders and merges ask for the same resources in one order, so that they never deadlock.
SELECT resource.id
  FROM resource
 WHERE resource.id IN (SELECT resource_id FROM staged_place)
 ORDER BY resource.id
   FOR NO KEY UPDATE;
