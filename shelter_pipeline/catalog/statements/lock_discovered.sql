-- Recorders of the same resources take turns, and ask for them in one order, so that they never deadlock.
SELECT resource.id
  FROM resource
 WHERE resource.id IN (SELECT resource_id FROM staged_outcome)
 ORDER BY resource.id
   FOR NO KEY UPDATE;
