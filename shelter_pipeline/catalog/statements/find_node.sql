-- One node by its nickname.
SELECT id, name, version, trust, max_claims, blocked, blocked_why, last_seen_at, signed_off_at
  FROM node
 WHERE name = :name;
