-- The node of this nickname, made known without trust if it is new; one that is known stays as it is.
INSERT INTO node (name, last_seen_at) VALUES (:name, now())
    ON CONFLICT (name) DO UPDATE SET name = EXCLUDED.name
RETURNING id, name, version, trust, max_claims, blocked, blocked_why, last_seen_at, signed_off_at;
