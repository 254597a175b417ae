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
                SELECT FROM
-- include datasets_of_loss
                  AS listing
                  JOIN dataset ON dataset.id = listing.id
                  JOIN organization ON organization.id = dataset.organization_id
                 WHERE organization.key = :organization))
     ORDER BY CASE WHEN :latest THEN coalesce(loss.decided_at, loss.suspected_at) END DESC, loss.id DESC
     LIMIT :limit
)
SELECT loss.id, loss.state, loss.kind, portal.slug AS portal, owner.organization, owner.slug AS dataset,
       owner.identifier, owner.title, owner.landing_page, asset.url, loss.suspected_at, loss.last_missed_at,
       loss.misses, loss.decided_at, successor.slug AS moved_to, loss.evidence,
       held.files, held.held_files, held.held_bytes
  FROM chosen AS loss
  LEFT JOIN portal ON portal.id = loss.portal_id
  LEFT JOIN asset ON asset.id = loss.asset_id
  LEFT JOIN dataset AS successor ON successor.id = loss.moved_to_id
  LEFT JOIN LATERAL (
       SELECT dataset.slug, dataset.identifier, dataset.title, dataset.landing_page,
              organization.key AS organization
         FROM
-- include datasets_of_loss
              AS listing
         JOIN dataset ON dataset.id = listing.id
         JOIN organization ON organization.id = dataset.organization_id
        ORDER BY coalesce(organization.key = :organization, false) DESC, dataset.id
        LIMIT 1
  ) AS owner ON true
  CROSS JOIN LATERAL
-- include holding_of_loss
       AS held
 ORDER BY CASE WHEN :latest THEN coalesce(loss.decided_at, loss.suspected_at) END DESC, loss.id DESC;
