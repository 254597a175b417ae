-- The path from a resource to each asset it leads to.
INSERT INTO asset_resource (asset_id, resource_id, via, path)
SELECT DISTINCT ON (asset.id, staged_finding.resource_id)
       asset.id, staged_finding.resource_id, staged_finding.via, staged_finding.path
  FROM staged_finding
  JOIN asset USING (url_hash)
 ORDER BY asset.id, staged_finding.resource_id
    ON CONFLICT (asset_id, resource_id) DO UPDATE SET via = excluded.via, path = excluded.path;
