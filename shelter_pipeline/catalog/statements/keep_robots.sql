-- What robots.txt said, one row an origin; whoever asked has asked. In one order, so that writers never deadlock.
INSERT INTO host_robots AS known (origin, host, state, body, reason, detail, failures, failing_since, learned_at,
                                  fresh_until)
SELECT origin, host, state, body, reason, detail, failures,
       clock_timestamp() + make_interval(secs => failing), clock_timestamp(),
       clock_timestamp() + make_interval(secs => fresh)
  FROM unnest(CAST(:origins AS text[]), CAST(:hosts AS text[]), CAST(:states AS text[]), CAST(:bodies AS text[]),
              CAST(:reasons AS text[]), CAST(:details AS text[]), CAST(:failures AS int[]),
              CAST(:failing AS float8[]), CAST(:fresh AS float8[]))
       AS learned(origin, host, state, body, reason, detail, failures, failing, fresh)
 ORDER BY origin
    ON CONFLICT (origin) DO UPDATE
   SET state = excluded.state, body = excluded.body, reason = excluded.reason, detail = excluded.detail,
       failures = excluded.failures, failing_since = excluded.failing_since, learned_at = excluded.learned_at,
       fresh_until = excluded.fresh_until, asked_until = NULL;
