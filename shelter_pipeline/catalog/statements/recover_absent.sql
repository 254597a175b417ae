-- A dataset that is seen again is listed again, and its open loss ends as recovered.
WITH back AS (
    UPDATE dataset
       SET state = 'listed'
      FROM sighting
     WHERE sighting.dataset_id = dataset.id
       AND sighting.harvest_id >= :harvest_id
       AND dataset.portal_id = :portal_id
       AND dataset.state = 'absent'
    RETURNING dataset.id
)
UPDATE loss
   SET state = 'recovered', decided_at = now()
  FROM back
 WHERE loss.dataset_id = back.id
   AND loss.state IN ('suspected', 'confirmed');
