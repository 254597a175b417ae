-- A page of nodes as everybody may see them, who gave most first, each with what it had given when that was last counted.
-- Counts of all nodes are sorted, and the claims of those of the page alone are looked up.
SELECT chosen.name, chosen.trust, chosen.registered_at, chosen.last_seen_at, chosen.blocked AS paused,
       chosen.signed_off_at IS NOT NULL AS "left", chosen.brought_files, chosen.brought_bytes, chosen.copies_good,
       chosen.bytes_good, chosen.copies_claimed,
       NOT chosen.blocked AND chosen.signed_off_at IS NULL
           AND coalesce(chosen.last_seen_at >= now() - make_interval(secs => :active_seconds), false) AS active,
       (SELECT count(*) FROM claim
         WHERE claim.node_id = chosen.id AND claim.state = 'held' AND claim.lease_until > now()) AS live_claims
  FROM (SELECT node.*, coalesce(given.brought_files, 0) AS brought_files, coalesce(given.brought_bytes, 0) AS brought_bytes,
               coalesce(given.copies_good, 0) AS copies_good, coalesce(given.bytes_good, 0) AS bytes_good,
               coalesce(given.copies_claimed, 0) AS copies_claimed
          FROM node
          LEFT JOIN
-- include given_by_nodes
               AS given ON given.id = node.id
         ORDER BY bytes_good DESC, copies_good DESC, brought_files DESC, node.name
         LIMIT :limit OFFSET :skip) AS chosen
 ORDER BY chosen.bytes_good DESC, chosen.copies_good DESC, chosen.brought_files DESC, chosen.name;
