-- Every token, newest first, without anything that opens.
SELECT api_token.id, api_token.prefix, api_token.scopes, node.name AS node, api_token.label,
       api_token.made_at, api_token.expires_at, api_token.revoked_at, api_token.last_used_at
  FROM api_token
  LEFT JOIN node ON node.id = api_token.node_id
 ORDER BY api_token.id DESC;
