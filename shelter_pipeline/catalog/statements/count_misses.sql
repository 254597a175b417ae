-- Each loss that is open counts one more miss; a harvest counts once, however often it is recorded.
UPDATE loss
   SET misses = misses + 1, last_missed_at = now(), harvest_id = :harvest_id,
       evidence = evidence
           || CASE WHEN unseen.asked THEN jsonb_build_object('asked', false) ELSE '{}' END
           || CASE WHEN state = 'confirmed' THEN '{}'
                   ELSE jsonb_build_object('harvests', coalesce(evidence -> 'harvests', '[]')
                                                       || to_jsonb(CAST(:harvest_id AS bigint))) END
  FROM unseen
 WHERE loss.dataset_id = unseen.dataset_id
   AND loss.state IN ('withheld', 'suspected', 'confirmed')
   AND coalesce(loss.harvest_id, 0) < :harvest_id;
