-- What a node still owes of one kind, the most urgent first.
SELECT id, asset_id, sha256, size, nonce, ranges, deadline
  FROM proof
 WHERE node_id = :node_id
   AND kind = :kind
   AND state = 'open'
   AND deadline > now()
 ORDER BY deadline, id
 LIMIT :limit;
