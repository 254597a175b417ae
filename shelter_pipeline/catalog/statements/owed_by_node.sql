-- How many files a node is to send now, and how many it has in hand to fetch. Both by partial indexes.
SELECT (SELECT count(*) FROM proof WHERE node_id = :node_id AND kind = 'upload' AND state = 'open') AS uploads,
       (SELECT count(*) FROM claim WHERE node_id = :node_id AND state = 'held' AND purpose = 'fetch') AS fetches;
