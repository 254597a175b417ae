-- Datasets by their ids, in the order asked for, each with how much of it is held; files are counted up to a limit.
SELECT dataset.id, dataset.slug, dataset.identifier, dataset.title, left(dataset.description, 400) AS description,
       organization.key AS organization, organization.name AS organization_name, portal.slug AS portal,
       dataset.kind, dataset.state, dataset.keywords, dataset.modified, dataset.first_seen_at, dataset.changed_at,
       links.resources, links.undiscovered, links.not_files,
       holding.files, holding.held_files, holding.unconfirmed_files, holding.held_bytes, holding.waiting_files, holding.resting_files,
       holding.failed
  FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS wanted (id, place)
  JOIN dataset ON dataset.id = wanted.id
  JOIN organization ON organization.id = dataset.organization_id
  JOIN portal ON portal.id = dataset.portal_id
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE listed) AS resources,
              count(*) FILTER (WHERE listed AND discovered_at IS NULL AND outcome IS NULL) AS undiscovered,
              array_agg(DISTINCT outcome) FILTER (WHERE listed AND outcome NOT IN ('found', 'not-followed'))
                  AS not_files
         FROM resource
        WHERE resource.dataset_id = dataset.id
 ) AS links
 CROSS JOIN LATERAL (
       SELECT count(*) AS files,
              count(*) FILTER (WHERE state = 'held') AS held_files,
              count(*) FILTER (WHERE unconfirmed) AS unconfirmed_files,
              coalesce(sum(size) FILTER (WHERE state = 'held'), 0)::bigint AS held_bytes,
              count(*) FILTER (WHERE state = 'pending' AND reason IS NULL) AS waiting_files,
              count(*) FILTER (WHERE state = 'pending' AND reason IS NOT NULL) AS resting_files,
              array_agg(DISTINCT reason) FILTER (WHERE state <> 'held' AND reason IS NOT NULL) AS failed
         FROM (SELECT DISTINCT asset.id, asset.state, asset.reason, asset.size,
                      asset.state = 'held' AND EXISTS (SELECT FROM testimony
                                                      WHERE testimony.asset_id = asset.id AND testimony.sha256 = asset.sha256
                                                        AND testimony.finding = 'open') AS unconfirmed
                 FROM resource
                 JOIN asset_resource ON asset_resource.resource_id = resource.id
                 JOIN asset ON asset.id = asset_resource.asset_id
                WHERE resource.dataset_id = dataset.id
                LIMIT :most) AS file
 ) AS holding
 ORDER BY wanted.place;
