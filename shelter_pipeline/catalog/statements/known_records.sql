-- What the catalog knows of these records: one index lookup each, and no look at the records themselves.
SELECT dataset.identifier, dataset.id, dataset.record_hash, dataset.organization_id,
       (SELECT sighting.harvest_id FROM sighting WHERE sighting.dataset_id = dataset.id) AS harvest_id
  FROM dataset
 WHERE dataset.portal_id = :portal_id
   AND dataset.identifier = ANY (:identifiers);
