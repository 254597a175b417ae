-- What each proved copy of a node counts for now, by how long the node has been silent; a blocked node's count for
-- nothing. Only what changes is written.
WITH weighed AS MATERIALIZED (
    SELECT node.id,
           CASE WHEN node.blocked THEN 0
                ELSE coalesce((SELECT step.weight
                                 FROM unnest(CAST(:days AS float8[]), CAST(:weights AS float8[])) AS step (days, weight)
                                WHERE coalesce(node.last_seen_at, node.registered_at)
                                      >= now() - make_interval(secs => step.days * 86400)
                                ORDER BY step.days
                                LIMIT 1), 0) END AS weight
      FROM node
)
UPDATE copy
   SET counts = weighed.weight
  FROM weighed
 WHERE copy.node_id = weighed.id
   AND copy.state = 'good'
   AND copy.counts <> weighed.weight;
