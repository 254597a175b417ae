-- Datasets of a portal that are being rescued and whose publisher's own record of today's version is not kept: held
-- files first, then the popular ones. One that failed is due again after a month. `due` counts them all.
WITH rescued AS (
    SELECT resource.dataset_id, bool_or(asset.state = 'held') AS held
      FROM asset
      JOIN asset_resource ON asset_resource.asset_id = asset.id
      JOIN resource ON resource.id = asset_resource.resource_id
     WHERE asset.state = 'held' OR asset.batch_id IS NOT NULL
     GROUP BY resource.dataset_id
), wanted AS (
    SELECT dataset.id, rescued.held, sighting.popularity, count(*) OVER () AS due
      FROM rescued
      JOIN dataset ON dataset.id = rescued.dataset_id
      JOIN organization ON organization.id = dataset.organization_id
      LEFT JOIN sighting ON sighting.dataset_id = dataset.id
     WHERE dataset.portal_id = :portal_id
       AND (CAST(:organization AS text) IS NULL OR organization.key = :organization)
       AND NOT EXISTS (SELECT FROM source_record
                        WHERE source_record.dataset_id = dataset.id
                          AND source_record.record_hash = dataset.record_hash
                          AND (source_record.reason = 'stored'
                               OR source_record.asked_at > now() - make_interval(days => :rest_days)))
     ORDER BY rescued.held DESC, sighting.popularity DESC NULLS LAST, dataset.id
     LIMIT :limit
)
SELECT dataset.id AS dataset_id, dataset.identifier, dataset.slug, organization.slug AS organization,
       dataset.record_hash, dataset.raw, wanted.due
  FROM wanted
  JOIN dataset ON dataset.id = wanted.id
  JOIN organization ON organization.id = dataset.organization_id
 ORDER BY wanted.held DESC, wanted.popularity DESC NULLS LAST, dataset.id;
