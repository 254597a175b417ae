-- What is asked of a node and can still be answered in time.
SELECT count(*) FILTER (WHERE kind = 'challenge') AS challenges, count(*) FILTER (WHERE kind = 'upload') AS uploads
  FROM proof
 WHERE node_id = :node_id
   AND state = 'open'
   AND deadline > now();
