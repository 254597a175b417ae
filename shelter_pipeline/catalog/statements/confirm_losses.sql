-- Missing often enough and long enough is lost, a mass drop too: a drop that lasts is real.
UPDATE loss
   SET evidence = evidence || jsonb_build_object('confirmed_by', CAST(:harvest_id AS bigint))
           || CASE WHEN state = 'withheld'
                   THEN jsonb_build_object('absent_since', CAST(:harvest_id AS bigint)) ELSE '{}' END,
       state = 'confirmed', decided_at = now()
  FROM unseen
 WHERE loss.dataset_id = unseen.dataset_id
   AND loss.state IN ('withheld', 'suspected')
   AND loss.misses >= :confirm_harvests
   AND now() - loss.suspected_at >= :confirm_after;
