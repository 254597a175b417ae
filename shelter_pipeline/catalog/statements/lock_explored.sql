-- The resources of these places, in the order in which merges and other recorders ask for them: nobody deadlocks.
SELECT resource.id
  FROM resource
 WHERE resource.exploration_id IN (SELECT id FROM staged_exploration)
 ORDER BY resource.id
   FOR NO KEY UPDATE;
