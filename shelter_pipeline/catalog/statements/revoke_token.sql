-- A token ends for good; the moment it was first revoked stays.
UPDATE api_token
   SET revoked_at = coalesce(api_token.revoked_at, now())
 WHERE prefix = :prefix
RETURNING id, prefix, scopes, (SELECT name FROM node WHERE node.id = api_token.node_id) AS node, label,
          made_at, expires_at, revoked_at, last_used_at;
