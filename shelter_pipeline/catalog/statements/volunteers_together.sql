-- All volunteers in one row: how many there are and how many are here now, the files they are at work on, and what they
-- had given together when that was last counted. No row: it never was.
SELECT summary.counted_at, node.total, node.active,
       (SELECT count(*) FROM claim
         WHERE claim.node_id IS NOT NULL AND claim.state = 'held' AND claim.lease_until > now()) AS working,
       given.brought_files, given.brought_bytes, given.copies_good, given.bytes_good, given.copies_claimed
  FROM summary
 CROSS JOIN (SELECT count(*) AS total,
                    count(*) FILTER (WHERE NOT blocked AND signed_off_at IS NULL
                                       AND last_seen_at >= now() - make_interval(secs => :active_seconds)) AS active
               FROM node) AS node
 CROSS JOIN (SELECT coalesce(sum(brought_files), 0)::bigint AS brought_files,
                    least(coalesce(sum(brought_bytes), 0), 9223372036854775807)::bigint AS brought_bytes,
                    coalesce(sum(copies_good), 0)::bigint AS copies_good,
                    least(coalesce(sum(bytes_good), 0), 9223372036854775807)::bigint AS bytes_good,
                    coalesce(sum(copies_claimed), 0)::bigint AS copies_claimed
               FROM
-- include given_by_nodes
                    AS one) AS given
 WHERE summary.name = 'contributions';
