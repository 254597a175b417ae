-- Every token of a node that still holds ends.
UPDATE api_token
   SET revoked_at = now()
 WHERE node_id = :node_id
   AND revoked_at IS NULL;
