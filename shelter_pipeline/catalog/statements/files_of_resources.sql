-- The files that resources lead to: at most so many of each, by their ids.
SELECT wanted.id AS resource_id, file.asset_id
  FROM unnest(CAST(:ids AS bigint[])) AS wanted (id)
 CROSS JOIN LATERAL (
       SELECT asset_id FROM asset_resource WHERE resource_id = wanted.id ORDER BY asset_id LIMIT :most
 ) AS file;
