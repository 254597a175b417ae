-- What a manifest says of a batch: each capture of all its runs, those of killed ones too, with the first datasets
-- that its asset belongs to and how many there are. Records are named by the SHA-256 of their bytes.
SELECT asset.url, asset.kind, capture.verdict, capture.reason, capture.final_url, capture.status, capture.flags,
       capture.sha256, capture.size, capture.started_at, capture.finished_at, capture.late, capture.token,
       capture.heads, listing.datasets, listing.dataset_count
  FROM capture
  JOIN asset ON asset.id = capture.asset_id
 CROSS JOIN LATERAL (
       SELECT (SELECT count(DISTINCT resource.dataset_id)
                 FROM asset_resource
                 JOIN resource ON resource.id = asset_resource.resource_id
                WHERE asset_resource.asset_id = asset.id) AS dataset_count,
              (SELECT jsonb_agg(jsonb_build_object(
                          'portal', portal.url, 'organization', organization.slug,
                          'identifier', dataset.identifier, 'slug', dataset.slug, 'title', dataset.title,
                          'record', encode(sha256(convert_to(dataset.raw, 'UTF8')), 'hex')) ORDER BY dataset.id)
                 FROM (SELECT DISTINCT resource.dataset_id
                         FROM asset_resource
                         JOIN resource ON resource.id = asset_resource.resource_id
                        WHERE asset_resource.asset_id = asset.id
                        ORDER BY resource.dataset_id
                        LIMIT 50) AS listed
                 JOIN dataset ON dataset.id = listed.dataset_id
                 JOIN organization ON organization.id = dataset.organization_id
                 JOIN portal ON portal.id = dataset.portal_id) AS datasets) AS listing
 WHERE capture.batch_id = :batch_id
 ORDER BY capture.id;
