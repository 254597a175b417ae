-- A new node under a nickname that nobody has, whatever its capitals; no row if somebody has it.
INSERT INTO node (name, version, contact, network, space_bytes, last_seen_at)
SELECT :name, :version, :contact, :network, :space_bytes, now()
 WHERE NOT EXISTS (SELECT FROM node WHERE lower(name) = lower(:name))
    ON CONFLICT (name) DO NOTHING
RETURNING id, name, version, trust, max_claims, blocked, blocked_why, last_seen_at, signed_off_at;
