-- What a portal should be asked for by name: not seen by this harvest, and not known to be gone; listed ones first.
SELECT dataset.identifier
  FROM sighting
  JOIN dataset ON dataset.id = sighting.dataset_id
 WHERE sighting.harvest_id < :harvest_id
   AND dataset.portal_id = :portal_id
   AND (dataset.state = 'listed'
        OR EXISTS (SELECT FROM loss WHERE loss.dataset_id = dataset.id AND loss.state = 'suspected'))
   AND NOT EXISTS (SELECT FROM refusal
                    WHERE refusal.harvest_id = :harvest_id AND refusal.identifier = dataset.identifier)
 ORDER BY dataset.state <> 'listed', dataset.id
 LIMIT :limit;
