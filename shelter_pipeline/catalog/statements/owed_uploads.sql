-- How many files a node is to send now, and how many it did not send in time lately.
SELECT (SELECT count(*) FROM proof WHERE node_id = :node_id AND kind = 'upload' AND state = 'open') AS open,
       (SELECT count(*) FROM proof
         WHERE node_id = :node_id AND kind = 'upload' AND state = 'expired'
           AND answered_at > now() - make_interval(days => :days)) AS missed;
