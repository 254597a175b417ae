-- One proof of one node.
SELECT id, asset_id, sha256, size, kind, state, media_type, last_modified, nonce, ranges, deadline, detail
  FROM proof
 WHERE id = :proof_id
   AND node_id = :node_id;
