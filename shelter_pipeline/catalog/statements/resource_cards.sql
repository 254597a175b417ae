-- Resources by their ids, in the order asked for, each with what it led to.
SELECT resource.id, resource.dataset_id, dataset.slug AS dataset, dataset.title AS dataset_title,
       organization.key AS organization, resource.key, resource.position, resource.role, resource.url, resource.name,
       resource.description, resource.format, resource.media_type, resource.size, resource.checksum, resource.listed,
       resource.classified_as AS kind, resource.outcome, resource.outcome_detail AS detail, resource.repair,
       resource.discovered_at, leads.files, leads.held_files
  FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS wanted (id, place)
  JOIN resource ON resource.id = wanted.id
  JOIN dataset ON dataset.id = resource.dataset_id
  JOIN organization ON organization.id = dataset.organization_id
 CROSS JOIN LATERAL (
       SELECT count(*) AS files, count(*) FILTER (WHERE state = 'held') AS held_files
         FROM (SELECT asset.state
                 FROM asset_resource
                 JOIN asset ON asset.id = asset_resource.asset_id
                WHERE asset_resource.resource_id = resource.id
                LIMIT :most) AS file
 ) AS leads
 ORDER BY wanted.place;
