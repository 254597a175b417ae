-- A resource its dataset no longer lists stays, marked: what it led to may be the last copy there is.
UPDATE resource
   SET listed = false
  FROM staged_dataset
  JOIN dataset ON dataset.portal_id = staged_dataset.portal_id AND dataset.identifier = staged_dataset.identifier
 WHERE resource.dataset_id = dataset.id
   AND resource.listed
   AND NOT EXISTS (SELECT FROM staged_resource
                    WHERE staged_resource.identifier = staged_dataset.identifier
                      AND staged_resource.key = resource.key);
