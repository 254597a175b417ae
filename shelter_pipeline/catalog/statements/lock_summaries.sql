-- Whether this transaction is the one that counts anew: nobody else does, and the last counts are old enough. What took
-- long to count is counted less often, so that counting takes a twentieth of the time at most.
SELECT pg_try_advisory_xact_lock(hashtext('shelter summary'))
   AND NOT EXISTS (SELECT FROM summary
                    WHERE name = 'overview'
                      AND counted_at > now() - make_interval(secs => greatest(:seconds, 20 * summary.seconds)))
       AS ours;
