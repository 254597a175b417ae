-- A merge asks for the datasets it will change in order of id, so that it never deadlocks with what marks losses.
SELECT dataset.id
  FROM dataset
  JOIN staged_dataset USING (id)
 ORDER BY dataset.id
   FOR NO KEY UPDATE OF dataset;
