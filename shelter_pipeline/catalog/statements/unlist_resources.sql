-- A resource its dataset no longer lists stays, marked: what it led to may be the last copy there is.
UPDATE resource
   SET listed = false
  FROM staged_dataset
 WHERE resource.dataset_id = staged_dataset.id
   AND resource.listed
   AND NOT EXISTS (SELECT FROM staged_resource
                    WHERE staged_resource.dataset_id = resource.dataset_id
                      AND staged_resource.key = resource.key);
