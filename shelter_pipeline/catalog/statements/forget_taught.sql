-- The host has taught nothing. One row if it is known, none if it is not.
UPDATE host
   SET rest_until = NULL, strikes = 0, good_replies = 0, connect_failures = 0, learned_connections = NULL,
       learned_delay_seconds = 0, latency_seconds = NULL, crawl_delay_seconds = NULL
 WHERE name = :name;
