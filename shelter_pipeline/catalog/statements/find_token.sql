-- The token of one public prefix, whether it holds at this moment, and whether its use was noted within the last
-- minute: by one probe of the unique index. It says nothing about the secret: the caller compares the hash.
SELECT api_token.id, api_token.prefix, api_token.token_hash, api_token.scopes, node.name AS node, api_token.label,
       api_token.made_at, api_token.expires_at, api_token.revoked_at, api_token.last_used_at,
       api_token.revoked_at IS NULL AND coalesce(api_token.expires_at > now(), true) AS holds,
       coalesce(api_token.last_used_at > now() - interval '1 minute', false) AS is_noted
  FROM api_token
  LEFT JOIN node ON node.id = api_token.node_id
 WHERE api_token.prefix = :prefix;
