-- The resources of some datasets as their records list them, and those that are listed no more and led to a file we hold,
-- each with how many files it leads to and how many of them are held.
SELECT resource.dataset_id, resource.id, resource.key, resource.position, resource.role, resource.url, resource.name,
       resource.description, resource.format, resource.media_type, resource.size, resource.checksum, resource.listed,
       resource.outcome, resource.outcome_detail, resource.discovered_at IS NOT NULL AS discovered,
       coalesce(led.files, 0) AS files, coalesce(led.held, 0) AS held, coalesce(led.waiting, 0) AS waiting
  FROM resource
  LEFT JOIN LATERAL (
       SELECT count(*) AS files, count(*) FILTER (WHERE asset.state = 'held') AS held,
              count(*) FILTER (WHERE asset.state = 'pending') AS waiting
         FROM asset_resource
         JOIN asset ON asset.id = asset_resource.asset_id
        WHERE asset_resource.resource_id = resource.id) AS led ON true
 WHERE resource.dataset_id = ANY (CAST(:ids AS bigint[]))
   AND (resource.listed OR led.held > 0)
 ORDER BY resource.dataset_id, resource.listed DESC, resource.position, resource.id;
