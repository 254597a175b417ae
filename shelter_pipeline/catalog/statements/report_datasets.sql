-- Every dataset, of all or of these organizations, by its id, with how much of it is held. Read in one pass.
WITH chosen AS (
    SELECT dataset.id
      FROM dataset
     WHERE CAST(:organizations AS bigint[]) IS NULL OR dataset.organization_id = ANY (:organizations)
), link AS (
    SELECT resource.dataset_id,
           count(*) FILTER (WHERE listed) AS links,
           count(*) FILTER (WHERE listed AND discovered_at IS NULL AND outcome IS NULL) AS undiscovered_links,
           array_agg(DISTINCT outcome) FILTER (WHERE listed AND outcome NOT IN ('found', 'not-followed')) AS not_files
      FROM resource
     WHERE resource.dataset_id IN (SELECT id FROM chosen)
     GROUP BY resource.dataset_id
), member AS (
    SELECT DISTINCT resource.dataset_id, asset_resource.asset_id
      FROM asset_resource
      JOIN resource ON resource.id = asset_resource.resource_id
     WHERE resource.dataset_id IN (SELECT id FROM chosen)
), tally AS (
    SELECT member.dataset_id,
           count(*) AS files,
           count(*) FILTER (WHERE state = 'held') AS held_files,
           least(coalesce(sum(size) FILTER (WHERE state = 'held'), 0), 9223372036854775807)::bigint AS held_bytes,
           count(*) FILTER (WHERE state = 'pending' AND reason IS NULL) AS waiting_files,
           count(*) FILTER (WHERE state = 'pending' AND reason IS NOT NULL) AS resting_files,
           count(*) FILTER (WHERE state IN ('failed', 'dead')) AS failed_files,
           array_agg(DISTINCT reason) FILTER (WHERE state <> 'held' AND reason IS NOT NULL) AS failed
      FROM member
      JOIN asset ON asset.id = member.asset_id
     GROUP BY member.dataset_id
)
SELECT dataset.id AS dataset_id, organization.key AS organization, portal.slug AS portal, dataset.identifier, dataset.slug,
       dataset.title, dataset.state, dataset.license, dataset.landing_page, dataset.issued, dataset.modified,
       dataset.first_seen_at, dataset.changed_at,
       coalesce(link.links, 0) AS links, coalesce(link.undiscovered_links, 0) AS undiscovered_links,
       coalesce(tally.files, 0) AS files, coalesce(tally.held_files, 0) AS held_files,
       coalesce(tally.held_bytes, 0) AS held_bytes, coalesce(tally.waiting_files, 0) AS waiting_files,
       coalesce(tally.resting_files, 0) AS resting_files, coalesce(tally.failed_files, 0) AS failed_files,
       tally.failed, link.not_files
  FROM dataset
  JOIN organization ON organization.id = dataset.organization_id
  JOIN portal ON portal.id = dataset.portal_id
  LEFT JOIN link ON link.dataset_id = dataset.id
  LEFT JOIN tally ON tally.dataset_id = dataset.id
 WHERE CAST(:organizations AS bigint[]) IS NULL OR dataset.organization_id = ANY (:organizations)
 ORDER BY dataset.id;
