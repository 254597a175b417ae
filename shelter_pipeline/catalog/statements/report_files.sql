-- Every file, of all or of those that these organizations list, by its id, each once and with the first dataset that
-- lists it (of these organizations). Read in one pass.
WITH member AS (
    SELECT asset_resource.asset_id, min(resource.dataset_id) AS dataset_id, count(DISTINCT resource.dataset_id) AS datasets
      FROM asset_resource
      JOIN resource ON resource.id = asset_resource.resource_id
      JOIN dataset ON dataset.id = resource.dataset_id
     WHERE CAST(:organizations AS bigint[]) IS NULL OR dataset.organization_id = ANY (:organizations)
     GROUP BY asset_resource.asset_id
), counted AS (
    SELECT copy.sha256, sum(copy.counts)::float AS copies
      FROM copy
     WHERE copy.state = 'good'
     GROUP BY copy.sha256
), tried AS (
    SELECT capture.asset_id, max(capture.finished_at) AS last_tried_at
      FROM capture
     WHERE NOT capture.late
     GROUP BY capture.asset_id
)
SELECT asset.id AS file_id, asset.url, asset.host, member.dataset_id, organization.key AS organization,
       coalesce(member.datasets, 0) AS datasets, asset.kind, asset.format, coalesce(blob.media_type, asset.media_type) AS media_type,
       coalesce(asset.expected_size, asset.estimated_size) AS expected_size, asset.state, asset.reason, asset.sha256, asset.size,
       coalesce(counted.copies, 0) AS copies, asset.attempts, asset.found_at, blob.first_stored_at, tried.last_tried_at,
       asset.next_attempt_at
  FROM asset
  LEFT JOIN member ON member.asset_id = asset.id
  LEFT JOIN dataset ON dataset.id = member.dataset_id
  LEFT JOIN organization ON organization.id = dataset.organization_id
  LEFT JOIN blob ON blob.sha256 = asset.sha256
  LEFT JOIN counted ON counted.sha256 = asset.sha256
  LEFT JOIN tried ON tried.asset_id = asset.id
 WHERE CAST(:organizations AS bigint[]) IS NULL OR member.asset_id IS NOT NULL
 ORDER BY asset.id;
