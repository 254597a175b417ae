-- Listed resources that should be explored and are not: those that are files by their catalogue's word alone and sent a
-- web page, and places that were looked at long ago and are remembered by their outcome alone.
SELECT resource.id, resource.dataset_id, resource.role, resource.url, resource.format, resource.media_type,
       resource.size, resource.checksum, true AS due
  FROM resource
  JOIN dataset ON dataset.id = resource.dataset_id
 WHERE dataset.portal_id = :portal_id
   AND (CAST(:organization_id AS bigint) IS NULL OR dataset.organization_id = :organization_id)
   AND resource.listed
   AND resource.exploration_id IS NULL
   AND resource.id > :after
   AND ((resource.classified_as = ANY (:places) AND resource.outcome <> 'not-followed'
         AND resource.discovered_at < now() - :longest)
        OR resource.rule IN ('declared-format', 'declared-media-type')
           AND resource.id IN (SELECT asset_resource.resource_id
                             FROM asset
                             JOIN asset_resource ON asset_resource.asset_id = asset.id
                            WHERE asset.state = 'failed'
                              AND asset.reason = 'html-instead'
                              AND asset.sha256 IS NULL
                              AND asset_resource.via = 'direct'))
 ORDER BY resource.id
 LIMIT :limit;
