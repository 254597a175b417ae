-- Losses by their ids, in the order asked for, each with its evidence, the dataset that it is of or that lists the link,
-- and what we hold of it.
SELECT loss.id, loss.state, loss.kind, portal.slug AS portal,
       owner.dataset_id, owner.title, owner.landing_page, owner.organization, owner.organization_name,
       loss.asset_id, asset.url, loss.suspected_at, loss.last_missed_at, loss.misses, loss.decided_at,
       loss.evidence, successor.id AS moved_to_id, successor.title AS moved_to,
       (SELECT harvest.started_at FROM harvest
         WHERE harvest.id = CASE WHEN jsonb_typeof(loss.evidence -> 'last_seen_by') = 'number'
                                 THEN CAST(loss.evidence ->> 'last_seen_by' AS bigint) END) AS last_seen_at,
       held.files, held.held_files, held.held_bytes, held.one_file, held.holding
  FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS wanted (id, place)
  JOIN loss ON loss.id = wanted.id
  LEFT JOIN portal ON portal.id = loss.portal_id
  LEFT JOIN asset ON asset.id = loss.asset_id
  LEFT JOIN dataset AS successor ON successor.id = loss.moved_to_id
  LEFT JOIN LATERAL (
       SELECT dataset.id AS dataset_id, dataset.title, dataset.landing_page, organization.key AS organization,
              organization.name AS organization_name
         FROM
-- include datasets_of_loss
              AS listing
         JOIN dataset ON dataset.id = listing.id
         JOIN organization ON organization.id = dataset.organization_id
        ORDER BY dataset.id
        LIMIT 1
  ) AS owner ON true
 CROSS JOIN LATERAL
-- include holding_of_loss
       AS held
 ORDER BY wanted.place;
