-- How hosts stand now: an operator's words, what each host taught, and whether a process waits for a slot that
-- had none a moment ago. Rests are counted from now, by the database's clock, which is the only one that counts.
SELECT name, connections, delay_seconds, strikes, good_replies, connect_failures, learned_connections,
       learned_delay_seconds, latency_seconds, crawl_delay_seconds,
       CAST(extract(epoch FROM rest_until - clock_timestamp()) AS float8) AS rest_seconds,
       coalesce(waiting_at > clock_timestamp() - interval '3 seconds', false) AS wanted
  FROM host
 WHERE name = ANY(CAST(:names AS text[]));
