-- What is known of the robots.txt of origins, and an operator's word on their hosts; a row for each that is asked for.
-- Seconds are counted from now, by the database's clock.
SELECT asked.origin, host.robots AS policy, known.state, known.body, known.reason, known.detail, known.failures,
       CAST(extract(epoch FROM known.failing_since - clock_timestamp()) AS float8) AS failing_seconds,
       CAST(extract(epoch FROM known.fresh_until - clock_timestamp()) AS float8) AS fresh_seconds
  FROM unnest(CAST(:origins AS text[]), CAST(:hosts AS text[])) AS asked(origin, host)
  LEFT JOIN host_robots AS known ON known.origin = asked.origin
  LEFT JOIN host ON host.name = asked.host;
