-- How many files a node has brought so far.
SELECT count(*) AS files FROM testimony WHERE node_id = :node_id;
