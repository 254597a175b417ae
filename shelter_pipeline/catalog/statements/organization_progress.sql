-- Expected against held, by organization; an asset counts once in each organization that lists it.
WITH member AS (
    SELECT DISTINCT dataset.organization_id, asset_resource.asset_id
      FROM asset_resource
      JOIN resource ON resource.id = asset_resource.resource_id
      JOIN dataset ON dataset.id = resource.dataset_id
     WHERE CAST(:organization_id AS bigint) IS NULL OR dataset.organization_id = :organization_id
), tally AS (
    SELECT member.organization_id,
           count(*) AS expected_files,
           count(*) FILTER (WHERE asset.state = 'held') AS held_files,
           coalesce(sum(asset.size) FILTER (WHERE asset.state = 'held'), 0)::bigint AS held_bytes,
           count(*) FILTER (WHERE asset.state = 'pending' AND asset.reason IS NULL) AS waiting_files,
           count(*) FILTER (WHERE asset.state = 'pending' AND asset.reason IS NOT NULL) AS resting_files
      FROM member
      JOIN asset ON asset.id = member.asset_id
     GROUP BY member.organization_id
), failed AS (
    SELECT organization_id, jsonb_object_agg(reason, files ORDER BY reason) AS reasons
      FROM (SELECT member.organization_id, asset.reason, count(*) AS files
              FROM member
              JOIN asset ON asset.id = member.asset_id
             WHERE asset.state <> 'held' AND asset.reason IS NOT NULL
             GROUP BY member.organization_id, asset.reason) AS by_reason
     GROUP BY organization_id
), outcome AS (
    SELECT organization_id, jsonb_object_agg(outcome, resources ORDER BY outcome) AS reasons
      FROM (SELECT dataset.organization_id, resource.outcome, count(*) AS resources
              FROM resource
              JOIN dataset ON dataset.id = resource.dataset_id
             WHERE resource.outcome IS NOT NULL
               AND resource.outcome NOT IN ('found', 'not-followed')
               AND resource.listed
               AND (CAST(:organization_id AS bigint) IS NULL OR dataset.organization_id = :organization_id)
             GROUP BY dataset.organization_id, resource.outcome) AS by_outcome
     GROUP BY organization_id
), datasets AS (
    SELECT organization_id, count(*) AS datasets
      FROM dataset
     WHERE CAST(:organization_id AS bigint) IS NULL OR organization_id = :organization_id
     GROUP BY organization_id
), undiscovered AS (
    SELECT dataset.organization_id, count(*) AS resources
      FROM resource
      JOIN dataset ON dataset.id = resource.dataset_id
     WHERE resource.discovered_at IS NULL
       AND resource.outcome IS NULL
       AND resource.listed
       AND (CAST(:organization_id AS bigint) IS NULL OR dataset.organization_id = :organization_id)
     GROUP BY dataset.organization_id
)
SELECT organization.key AS organization, organization.name,
       coalesce(datasets.datasets, 0) AS datasets,
       coalesce(tally.expected_files, 0) AS expected_files,
       coalesce(tally.held_files, 0) AS held_files,
       coalesce(tally.held_bytes, 0) AS held_bytes,
       coalesce(tally.waiting_files, 0) AS waiting_files,
       coalesce(tally.resting_files, 0) AS resting_files,
       coalesce(failed.reasons, '{}'::jsonb) AS failed,
       coalesce(outcome.reasons, '{}'::jsonb) AS not_files,
       coalesce(undiscovered.resources, 0) AS undiscovered
  FROM organization
  LEFT JOIN datasets ON datasets.organization_id = organization.id
  LEFT JOIN tally ON tally.organization_id = organization.id
  LEFT JOIN failed ON failed.organization_id = organization.id
  LEFT JOIN outcome ON outcome.organization_id = organization.id
  LEFT JOIN undiscovered ON undiscovered.organization_id = organization.id
 WHERE CAST(:organization_id AS bigint) IS NULL OR organization.id = :organization_id
 ORDER BY organization.id;
