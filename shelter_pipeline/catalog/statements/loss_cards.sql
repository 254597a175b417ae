-- Losses by their ids, in the order asked for, each with its evidence, the dataset that it is of or that lists the link,
-- and what we hold of it.
SELECT chosen.id, chosen.state, chosen.kind, portal.slug AS portal,
       owner.dataset_id, owner.title, owner.landing_page, owner.organization, owner.organization_name,
       chosen.asset_id, asset.url, chosen.suspected_at, chosen.last_missed_at, chosen.misses, chosen.decided_at,
       chosen.evidence, successor.id AS moved_to_id, successor.title AS moved_to,
       (SELECT harvest.started_at FROM harvest
         WHERE harvest.id = CASE WHEN jsonb_typeof(chosen.evidence -> 'last_seen_by') = 'number'
                                 THEN CAST(chosen.evidence ->> 'last_seen_by' AS bigint) END) AS last_seen_at,
       holding.files, holding.held_files, holding.held_bytes, holding.one_file,
       CASE WHEN holding.held_files = 0 THEN 'nothing'
            WHEN holding.held_files = holding.files THEN 'whole' ELSE 'part' END AS holding
  FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS wanted (id, place)
  JOIN loss AS chosen ON chosen.id = wanted.id
  LEFT JOIN portal ON portal.id = chosen.portal_id
  LEFT JOIN asset ON asset.id = chosen.asset_id
  LEFT JOIN dataset AS successor ON successor.id = chosen.moved_to_id
  LEFT JOIN LATERAL (
       SELECT dataset.id AS dataset_id, dataset.title, dataset.landing_page, organization.key AS organization,
              organization.name AS organization_name
         FROM (SELECT chosen.dataset_id AS id
               UNION ALL
               SELECT resource.dataset_id
                 FROM asset_resource
                 JOIN resource ON resource.id = asset_resource.resource_id
                WHERE asset_resource.asset_id = chosen.asset_id) AS listing
         JOIN dataset ON dataset.id = listing.id
         JOIN organization ON organization.id = dataset.organization_id
        ORDER BY dataset.id
        LIMIT 1
  ) AS owner ON true
 CROSS JOIN LATERAL (
       SELECT count(*) AS files, count(sha256) AS held_files,
              coalesce(sum(size) FILTER (WHERE sha256 IS NOT NULL), 0)::bigint AS held_bytes,
              min(part.id) FILTER (WHERE sha256 IS NOT NULL) AS one_file
         FROM (SELECT chosen.asset_id AS id
               UNION
               SELECT asset_resource.asset_id
                 FROM resource
                 JOIN asset_resource ON asset_resource.resource_id = resource.id
                WHERE resource.dataset_id = chosen.dataset_id) AS listed
         JOIN asset AS part ON part.id = listed.id
 ) AS holding
 ORDER BY wanted.place;
