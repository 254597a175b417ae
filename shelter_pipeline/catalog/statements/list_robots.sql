-- What the robots.txt of a host's origins said, and until when that holds.
SELECT origin, state, reason, detail, failures, failing_since, learned_at, fresh_until,
       octet_length(body) AS bytes
  FROM host_robots
 WHERE host = :host
 ORDER BY origin;
