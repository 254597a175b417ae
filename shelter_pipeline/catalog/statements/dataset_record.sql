-- One dataset with all that is known of it but its links, its files and the portal's own record.
SELECT dataset.description, dataset.publisher, dataset.themes, dataset.issued, dataset.license, dataset.access_level,
       dataset.spatial, dataset.temporal, dataset.landing_page, dataset.collection, dataset.notes, portal.url AS portal_url,
       encode(dataset.record_hash, 'hex') AS record_hash, sighting.popularity,
       (SELECT count(*) FROM dataset_version WHERE dataset_version.dataset_id = dataset.id) AS versions,
       (SELECT max(level)
          FROM resource
          JOIN asset_resource ON asset_resource.resource_id = resource.id
          JOIN priority ON priority.asset_id = asset_resource.asset_id
         WHERE resource.dataset_id = dataset.id) AS priority
  FROM dataset
  JOIN portal ON portal.id = dataset.portal_id
  LEFT JOIN sighting ON sighting.dataset_id = dataset.id
 WHERE dataset.id = :dataset_id;
