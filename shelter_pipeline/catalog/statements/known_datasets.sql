-- What the catalog has of these datasets, and since when each is as it is.
SELECT dataset.identifier, dataset.id, dataset.changed_at
  FROM dataset
 WHERE dataset.portal_id = :portal_id
   AND dataset.identifier = ANY (:identifiers);
