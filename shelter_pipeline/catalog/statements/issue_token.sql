-- One token more: its keyed hash and what it is for. A prefix that exists already is refused by its unique index.
INSERT INTO api_token (prefix, token_hash, scopes, node_id, label, expires_at)
VALUES (:prefix, :token_hash, CAST(:scopes AS text[]), :node_id, :label,
        now() + CAST(:expires_seconds AS double precision) * interval '1 second')
RETURNING id;
