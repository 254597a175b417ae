-- How nodes stand: who was here lately or holds anything, least trusted first, for people to look at.
SELECT node.name AS node, node.trust, node.blocked, node.last_seen_at, held.proved, held.counting, held.unproved, owed.open,
       lied.lies
  FROM node
 CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE state = 'good') AS proved,
                            coalesce(sum(counts) FILTER (WHERE state = 'good'), 0) AS counting,
                            count(*) FILTER (WHERE state = 'claimed') AS unproved
                       FROM copy WHERE copy.node_id = node.id) AS held
 CROSS JOIN LATERAL (SELECT count(*) AS open FROM proof WHERE proof.node_id = node.id AND proof.state = 'open') AS owed
 CROSS JOIN LATERAL (SELECT count(*) AS lies FROM node_event
                      WHERE node_event.node_id = node.id AND node_event.kind = ANY (:lies)) AS lied
 WHERE held.proved + held.unproved > 0
    OR node.last_seen_at > now() - interval '40 days'
 ORDER BY node.blocked DESC, lied.lies DESC, node.trust, node.id
 LIMIT :limit;
