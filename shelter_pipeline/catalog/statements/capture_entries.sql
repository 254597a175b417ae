-- What a manifest says of single captures, in the form of `manifest_entries`.
SELECT asset.url, asset.kind, capture.verdict, capture.reason, capture.detail, capture.final_url, capture.status,
       capture.flags, capture.requests, capture.wire_bytes, capture.sha256, capture.size, blob.media_type,
       capture.started_at, capture.finished_at, capture.late, capture.token, capture.heads, listing.datasets,
       listing.dataset_count
  FROM capture
  JOIN asset ON asset.id = capture.asset_id
  LEFT JOIN blob ON blob.sha256 = capture.sha256 AND capture.verdict IN ('stored', 'unchanged')
 CROSS JOIN LATERAL (
       SELECT count(*) AS dataset_count,
              jsonb_agg(jsonb_build_object(
                  'portal', portal.url, 'organization', organization.slug,
                  'identifier', dataset.identifier, 'slug', dataset.slug, 'title', dataset.title,
                  'record', encode(sha256(convert_to(dataset.raw, 'UTF8')), 'hex')) ORDER BY dataset.id)
                  FILTER (WHERE listed.number <= 50) AS datasets
         FROM (SELECT resource.dataset_id, row_number() OVER (ORDER BY resource.dataset_id) AS number
                 FROM asset_resource
                 JOIN resource ON resource.id = asset_resource.resource_id
                WHERE asset_resource.asset_id = asset.id
                GROUP BY resource.dataset_id) AS listed
         JOIN dataset ON dataset.id = listed.dataset_id
         JOIN organization ON organization.id = dataset.organization_id
         JOIN portal ON portal.id = dataset.portal_id) AS listing
 WHERE capture.id = ANY (:capture_ids)
 ORDER BY capture.id;
