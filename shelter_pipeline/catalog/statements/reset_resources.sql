-- A resource whose address or promise changed has not been looked at: what was found out about the old one is gone.
UPDATE resource
   SET discovered_at = NULL, outcome = NULL, outcome_detail = NULL, classified_as = NULL, rule = NULL,
       repair = NULL, exploration_id = NULL
  FROM staged_resource AS staged
 WHERE resource.dataset_id = staged.dataset_id
   AND resource.key = staged.key
   AND (resource.url, resource.role, resource.format, resource.media_type, resource.size, resource.checksum)
       IS DISTINCT FROM
       (staged.url, staged.role, staged.format, staged.media_type, staged.size, staged.checksum);
