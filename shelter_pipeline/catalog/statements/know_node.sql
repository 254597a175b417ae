-- The node of this nickname, made known if it is new; its trust is never touched. It was seen just now.
INSERT INTO node (name, last_seen_at) VALUES (:name, now())
    ON CONFLICT (name) DO UPDATE SET last_seen_at = now(), signed_off_at = NULL
RETURNING id, name, version, trust, max_claims, blocked, blocked_why, last_seen_at, signed_off_at;
