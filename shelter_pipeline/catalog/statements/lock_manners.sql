-- What hosts taught so far, locked until it is written back, so that no lesson of any process is lost.
-- In one order, so that processes with lessons of the same hosts never deadlock.
SELECT name, strikes, good_replies, connect_failures, learned_connections, learned_delay_seconds,
       latency_seconds, crawl_delay_seconds,
       CAST(extract(epoch FROM rest_until - clock_timestamp()) AS float8) AS rest_seconds
  FROM host
 WHERE name = ANY(CAST(:names AS text[]))
 ORDER BY name
   FOR NO KEY UPDATE;
