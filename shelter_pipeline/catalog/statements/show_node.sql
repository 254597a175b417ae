-- One node with all that operators may see of it.
SELECT id, name, version, trust, blocked, blocked_why, registered_at, last_seen_at, signed_off_at,
       contact, max_claims, space_bytes, free_bytes, bandwidth_mbps, uptime_hours,
       (SELECT count(*) FROM claim WHERE claim.node_id = node.id AND claim.state = 'held' AND lease_until > now())
           AS live_claims
  FROM node
 WHERE name = :name;
