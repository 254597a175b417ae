-- Whole datasets, in order of id, of which at least one listed resource is due: one that nobody has looked at.
WITH due AS (
    SELECT DISTINCT resource.dataset_id
      FROM resource
      JOIN dataset ON dataset.id = resource.dataset_id
     WHERE dataset.portal_id = :portal_id
       AND (CAST(:organization_id AS bigint) IS NULL OR dataset.organization_id = :organization_id)
       AND resource.listed
       AND resource.discovered_at IS NULL
       AND resource.exploration_id IS NULL
       AND resource.dataset_id > :after
     ORDER BY resource.dataset_id
     LIMIT :limit
)
SELECT resource.id, resource.dataset_id, resource.role, resource.url, resource.format, resource.media_type,
       resource.size, resource.checksum, resource.discovered_at IS NULL AND resource.exploration_id IS NULL AS due
  FROM resource
  JOIN due USING (dataset_id)
 WHERE resource.listed
 ORDER BY resource.dataset_id, resource.position, resource.id;
