-- The right to ask for a robots.txt: given to one process at a time, and only where what is known is not fresh.
INSERT INTO host_robots AS known (origin, host, asked_until)
SELECT origin, host, clock_timestamp() + make_interval(secs => :claim_seconds)
  FROM unnest(CAST(:origins AS text[]), CAST(:hosts AS text[])) AS claimed(origin, host)
 ORDER BY origin
    ON CONFLICT (origin) DO UPDATE
   SET asked_until = excluded.asked_until
 WHERE coalesce(known.fresh_until, '-infinity') <= clock_timestamp()
   AND coalesce(known.asked_until, '-infinity') <= clock_timestamp()
RETURNING origin;
