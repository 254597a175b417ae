-- How far the rescue of some datasets is: distinct files, those held with their bytes, those still to be tried, and how
-- many links nobody has followed to their end yet.
SELECT wanted.id AS dataset_id, file.files, file.held, file.unconfirmed, file.bytes, file.waiting, link.open_ends
  FROM unnest(CAST(:ids AS bigint[])) AS wanted (id)
 CROSS JOIN LATERAL (
       SELECT count(*) AS files, count(*) FILTER (WHERE asset.state = 'held') AS held,
              count(*) FILTER (WHERE asset.state = 'held' AND EXISTS (SELECT FROM testimony
                                                                    WHERE testimony.asset_id = asset.id AND testimony.sha256 = asset.sha256
                                                                      AND testimony.finding = 'open')) AS unconfirmed,
              CAST(coalesce(sum(asset.size) FILTER (WHERE asset.state = 'held'), 0) AS bigint) AS bytes,
              count(*) FILTER (WHERE asset.state = 'pending' AND asset.reason IS NULL) AS waiting
         FROM (SELECT DISTINCT asset_resource.asset_id
                 FROM resource
                 JOIN asset_resource ON asset_resource.resource_id = resource.id
                WHERE resource.dataset_id = wanted.id) AS led
         JOIN asset ON asset.id = led.asset_id) AS file
 CROSS JOIN LATERAL (
       SELECT count(*) AS open_ends
         FROM resource
        WHERE resource.dataset_id = wanted.id
          AND resource.listed
          AND (resource.outcome = 'found-in-part' OR (resource.outcome IS NULL AND resource.discovered_at IS NULL))
       ) AS link;
