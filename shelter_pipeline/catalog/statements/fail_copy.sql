-- A node's copy is damaged or missing, as its answer shows or as it says itself.
UPDATE copy
   SET state = :state, counts = 0, proved_by = NULL
 WHERE sha256 = :sha256
   AND node_id = :node_id;
