-- The way from a resource to each asset that it names itself.
INSERT INTO asset_resource (asset_id, resource_id, via, why)
SELECT DISTINCT ON (asset.id, staged_finding.resource_id)
       asset.id, staged_finding.resource_id, staged_finding.via, staged_finding.why
  FROM staged_finding
  JOIN asset USING (url_hash)
 ORDER BY asset.id, staged_finding.resource_id
    ON CONFLICT (asset_id, resource_id) DO UPDATE
   SET via = excluded.via, why = excluded.why, path = '{}', page_id = NULL;
