-- What is going on, as of this moment; read from small tables and indexes of what is alive.
SELECT now() AS now,
       (SELECT count(*) FROM claim WHERE state = 'held' AND lease_until > now()) AS claims,
       (SELECT count(*) FROM claim WHERE state = 'held' AND lease_until > now() AND node_id IS NOT NULL) AS node_claims,
       (SELECT count(*) FROM node) AS nodes,
       (SELECT count(*) FROM node
         WHERE NOT blocked AND signed_off_at IS NULL
           AND last_seen_at > now() - make_interval(secs => :active_seconds)) AS active_nodes,
       (SELECT count(*) FROM node WHERE blocked) AS blocked_nodes;
