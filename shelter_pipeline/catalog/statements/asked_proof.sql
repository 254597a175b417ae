-- The proof that a node owes of these bytes, if it does.
SELECT id, kind, deadline
  FROM proof
 WHERE node_id = :node_id
   AND sha256 = :sha256
   AND state = 'open'
 ORDER BY id
 LIMIT 1;
