-- Where the breaker holds no more, what is still missing is missing like anything else.
UPDATE loss
   SET state = 'suspected',
       evidence = (evidence - 'breaker') || jsonb_build_object('absent_since', CAST(:harvest_id AS bigint))
  FROM unseen
 WHERE loss.dataset_id = unseen.dataset_id
   AND loss.state = 'withheld'
   AND NOT :everywhere
   AND unseen.organization_id <> ALL (:organizations);
