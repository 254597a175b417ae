-- What discovery made of a resource, where nobody has looked at it since. While not all files are known that it led to
-- (they are in another manifest, or were found later), it stays to be looked at.
UPDATE resource
   SET classified_as = told.classified_as, rule = told.rule, outcome = told.outcome,
       outcome_detail = told.outcome_detail, discovered_at = told.discovered_at
  FROM (SELECT DISTINCT ON (dataset_id, key) * FROM restored_resource
         WHERE outcome IS NOT NULL
         ORDER BY dataset_id, key, discovered_at DESC NULLS LAST, links DESC) AS told
 WHERE resource.dataset_id = told.dataset_id
   AND resource.key = told.key
   AND resource.discovered_at IS NULL
   AND resource.outcome IS NULL
   AND told.links <= (SELECT count(*) FROM asset_resource WHERE asset_resource.resource_id = resource.id);
