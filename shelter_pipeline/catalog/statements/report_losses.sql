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
SELECT loss.id AS loss_id, loss.state, loss.kind, portal.slug AS portal, owner.organization, owner.id AS dataset_id,
       owner.identifier, owner.title, owner.landing_page, asset.url, loss.suspected_at, loss.last_missed_at, loss.misses,
       loss.decided_at, successor.identifier AS moved_to, loss.evidence, held.files, held.held_files, held.held_bytes
  FROM mine AS loss
  LEFT JOIN portal ON portal.id = loss.portal_id
  LEFT JOIN asset ON asset.id = loss.asset_id
  LEFT JOIN dataset AS successor ON successor.id = loss.moved_to_id
  LEFT JOIN LATERAL (
       SELECT dataset.id, dataset.identifier, dataset.title, dataset.landing_page, organization.key AS organization
         FROM
-- include datasets_of_loss
              AS listing
         JOIN dataset ON dataset.id = listing.id
         JOIN organization ON organization.id = dataset.organization_id
        ORDER BY coalesce(organization.id = ANY (CAST(:organizations AS bigint[])), false) DESC, dataset.id
        LIMIT 1
  ) AS owner ON true
  CROSS JOIN LATERAL
-- include holding_of_loss
       AS held
 ORDER BY coalesce(loss.decided_at, loss.suspected_at) DESC, loss.id DESC;
