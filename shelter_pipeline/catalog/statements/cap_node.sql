-- How many claims a node may hold at once, by an operator's word; null: the setting holds. No row if there is no such node.
UPDATE node
   SET max_claims = :max_claims
 WHERE name = :name
RETURNING id, name, version, trust, max_claims, blocked, blocked_why, last_seen_at, signed_off_at;
