-- Whether this transaction is the one that counts anew: nobody else does, and a report of these names is old enough, or
-- was never made, as after an upgrade. What took long to count is counted less often, so that counting takes a twentieth
-- of the time at most.
SELECT pg_try_advisory_xact_lock(hashtext('shelter summary'))
   AND (SELECT count(*)
          FROM summary
         WHERE name = ANY (CAST(:names AS text[]))
           AND counted_at > now() - make_interval(secs => greatest(:seconds, 20 * summary.seconds)))
       < cardinality(CAST(:names AS text[])) AS ours;
