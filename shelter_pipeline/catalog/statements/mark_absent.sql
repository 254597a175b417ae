-- A dataset is absent as long as its loss is suspected or confirmed, and listed while it is only withheld.
UPDATE dataset
   SET state = 'absent'
  FROM unseen
  JOIN loss ON loss.dataset_id = unseen.dataset_id AND loss.state IN ('suspected', 'confirmed')
 WHERE dataset.id = unseen.dataset_id
   AND dataset.state = 'listed';
