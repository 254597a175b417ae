-- Write back what hosts taught; the caller holds the rows locked. A rest is counted from now.
UPDATE host
   SET strikes = taught.strikes,
       good_replies = taught.good_replies,
       connect_failures = taught.connect_failures,
       learned_connections = taught.learned_connections,
       learned_delay_seconds = taught.learned_delay_seconds,
       latency_seconds = taught.latency_seconds,
       crawl_delay_seconds = taught.crawl_delay_seconds,
       rest_until = clock_timestamp() + make_interval(secs => taught.rest_seconds)
  FROM unnest(CAST(:names AS text[]), CAST(:strikes AS int[]), CAST(:good_replies AS int[]),
              CAST(:connect_failures AS int[]), CAST(:learned_connections AS int[]),
              CAST(:learned_delays AS float8[]), CAST(:latencies AS float8[]), CAST(:crawl_delays AS float8[]),
              CAST(:rests AS float8[]))
       AS taught(name, strikes, good_replies, connect_failures, learned_connections, learned_delay_seconds,
                 latency_seconds, crawl_delay_seconds, rest_seconds)
 WHERE host.name = taught.name;
