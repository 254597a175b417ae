-- A dataset that is not listed itself stands in nobody's place.
UPDATE loss
   SET kind = 'delisted', moved_to_id = NULL, evidence = evidence - '{moved_to,because,moved_by}'::text[]
  FROM unseen, dataset AS successor
 WHERE loss.dataset_id = unseen.dataset_id
   AND loss.state IN ('withheld', 'suspected', 'confirmed')
   AND successor.id = loss.moved_to_id
   AND successor.state <> 'listed';
