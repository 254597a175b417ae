-- A page of nodes by nickname, those after the given one, as everybody may see them.
SELECT id, name, version, trust, blocked, blocked_why, registered_at, last_seen_at, signed_off_at,
       (SELECT count(*) FROM claim WHERE claim.node_id = node.id AND claim.state = 'held' AND lease_until > now())
           AS live_claims
  FROM node
 WHERE name > :after
 ORDER BY name
 LIMIT :limit;
