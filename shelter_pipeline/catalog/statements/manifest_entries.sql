-- What a manifest says of a batch: each capture of all its runs, those of killed ones too, with the datasets
-- that its asset belongs to.
SELECT asset.url, asset.kind, capture.verdict, capture.reason, capture.final_url, capture.status, capture.flags,
       capture.sha256, capture.size, capture.started_at, capture.finished_at, capture.late, capture.token,
       capture.heads,
       (SELECT jsonb_agg(DISTINCT jsonb_build_object(
                   'portal', portal.url, 'organization', organization.slug, 'identifier', dataset.identifier,
                   'slug', dataset.slug, 'title', dataset.title, 'record', encode(sha256(convert_to(dataset.raw, 'UTF8')), 'hex')))
          FROM asset_resource
          JOIN resource ON resource.id = asset_resource.resource_id
          JOIN dataset ON dataset.id = resource.dataset_id
          JOIN organization ON organization.id = dataset.organization_id
          JOIN portal ON portal.id = dataset.portal_id
         WHERE asset_resource.asset_id = asset.id) AS datasets
  FROM capture
  JOIN asset ON asset.id = capture.asset_id
 WHERE capture.batch_id = :batch_id
 ORDER BY capture.id;
