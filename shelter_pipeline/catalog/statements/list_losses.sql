-- Losses, newest first, each with what we hold of it: what was lost there may survive here.
WITH chosen AS (
    SELECT loss.*
      FROM loss
      LEFT JOIN portal ON portal.id = loss.portal_id
     WHERE (CAST(:after AS bigint) IS NULL OR loss.id < :after)
       AND (CAST(:states AS text[]) IS NULL OR loss.state = ANY (:states))
       AND (CAST(:kinds AS text[]) IS NULL OR loss.kind = ANY (:kinds))
       AND (CAST(:since AS timestamptz) IS NULL OR coalesce(loss.decided_at, loss.suspected_at) >= :since)
       AND (CAST(:portal AS text) IS NULL OR portal.slug = :portal)
       AND (CAST(:organization AS text) IS NULL OR EXISTS (
                SELECT FROM (SELECT loss.dataset_id AS id
                             UNION ALL
                             SELECT resource.dataset_id
                               FROM asset_resource
                               JOIN resource ON resource.id = asset_resource.resource_id
                              WHERE asset_resource.asset_id = loss.asset_id) AS listing
                  JOIN dataset ON dataset.id = listing.id
                  JOIN organization ON organization.id = dataset.organization_id
                 WHERE organization.key = :organization))
     ORDER BY CASE WHEN :latest THEN coalesce(loss.decided_at, loss.suspected_at) END DESC, loss.id DESC
     LIMIT :limit
)
SELECT chosen.id, chosen.state, chosen.kind, portal.slug AS portal, owner.organization, owner.slug AS dataset,
       owner.identifier, owner.title, owner.landing_page, asset.url, chosen.suspected_at, chosen.last_missed_at,
       chosen.misses, chosen.decided_at, successor.slug AS moved_to, chosen.evidence,
       holding.files, holding.held_files, holding.held_bytes
  FROM chosen
  LEFT JOIN portal ON portal.id = chosen.portal_id
  LEFT JOIN asset ON asset.id = chosen.asset_id
  LEFT JOIN dataset AS successor ON successor.id = chosen.moved_to_id
  LEFT JOIN LATERAL (
       SELECT dataset.slug, dataset.identifier, dataset.title, dataset.landing_page,
              organization.key AS organization
         FROM (SELECT chosen.dataset_id AS id
               UNION ALL
               SELECT resource.dataset_id
                 FROM asset_resource
                 JOIN resource ON resource.id = asset_resource.resource_id
                WHERE asset_resource.asset_id = chosen.asset_id) AS listing
         JOIN dataset ON dataset.id = listing.id
         JOIN organization ON organization.id = dataset.organization_id
        ORDER BY coalesce(organization.key = :organization, false) DESC, dataset.id
        LIMIT 1
  ) AS owner ON true
  CROSS JOIN LATERAL (
       SELECT count(*) AS files, count(sha256) AS held_files,
              coalesce(sum(size) FILTER (WHERE sha256 IS NOT NULL), 0)::bigint AS held_bytes
         FROM (SELECT chosen.asset_id AS id
               UNION
               SELECT asset_resource.asset_id
                 FROM resource
                 JOIN asset_resource ON asset_resource.resource_id = resource.id
                WHERE resource.dataset_id = chosen.dataset_id) AS listed
         JOIN asset AS part ON part.id = listed.id
  ) AS holding
 ORDER BY CASE WHEN :latest THEN coalesce(chosen.decided_at, chosen.suspected_at) END DESC, chosen.id DESC;
