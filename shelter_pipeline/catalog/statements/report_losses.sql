-- Losses that are announced, of all or of what these organizations list, newest first, each with what is held of it.
WITH mine AS (
    SELECT loss.*
      FROM loss
     WHERE loss.state IN ('suspected', 'confirmed', 'recovered')
       AND (CAST(:organizations AS bigint[]) IS NULL
            OR loss.dataset_id IN (SELECT id FROM dataset WHERE organization_id = ANY (:organizations))
            OR loss.asset_id IN
-- include files_in_scope
           )
)
SELECT mine.id AS loss_id, mine.state, mine.kind, portal.slug AS portal, owner.organization, owner.id AS dataset_id,
       owner.identifier, owner.title, owner.landing_page, asset.url, mine.suspected_at, mine.last_missed_at, mine.misses,
       mine.decided_at, successor.identifier AS moved_to, mine.evidence, holding.files, holding.held_files, holding.held_bytes
  FROM mine
  LEFT JOIN portal ON portal.id = mine.portal_id
  LEFT JOIN asset ON asset.id = mine.asset_id
  LEFT JOIN dataset AS successor ON successor.id = mine.moved_to_id
  LEFT JOIN LATERAL (
       SELECT dataset.id, dataset.identifier, dataset.title, dataset.landing_page, organization.key AS organization
         FROM (SELECT mine.dataset_id AS id
               UNION ALL
               SELECT resource.dataset_id
                 FROM asset_resource
                 JOIN resource ON resource.id = asset_resource.resource_id
                WHERE asset_resource.asset_id = mine.asset_id) AS listing
         JOIN dataset ON dataset.id = listing.id
         JOIN organization ON organization.id = dataset.organization_id
        ORDER BY coalesce(organization.id = ANY (CAST(:organizations AS bigint[])), false) DESC, dataset.id
        LIMIT 1
  ) AS owner ON true
  CROSS JOIN LATERAL (
       SELECT count(*) AS files, count(sha256) AS held_files,
              least(coalesce(sum(size) FILTER (WHERE sha256 IS NOT NULL), 0), 9223372036854775807)::bigint AS held_bytes
         FROM (SELECT mine.asset_id AS id
               UNION
               SELECT asset_resource.asset_id
                 FROM resource
                 JOIN asset_resource ON asset_resource.resource_id = resource.id
                WHERE resource.dataset_id = mine.dataset_id) AS listed
         JOIN asset AS part ON part.id = listed.id
  ) AS holding
 ORDER BY coalesce(mine.decided_at, mine.suspected_at) DESC, mine.id DESC;
