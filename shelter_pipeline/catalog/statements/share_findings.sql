-- What has been found at a place so far, for the resources that come to it now: what one of its resources leads to, for
-- all of them lead to the same.
INSERT INTO asset_resource (asset_id, resource_id, via, why, page_id)
SELECT DISTINCT ON (known.asset_id, staged_place.resource_id)
       known.asset_id, staged_place.resource_id, known.via, known.why, known.page_id
  FROM staged_place
  JOIN exploration USING (url_hash)
 CROSS JOIN LATERAL (
       SELECT resource.id
         FROM resource
        WHERE resource.exploration_id = exploration.id
        ORDER BY resource.id
        LIMIT 1
 ) AS model
  JOIN asset_resource AS known ON known.resource_id = model.id
  JOIN exploration_page AS page ON page.id = known.page_id AND page.exploration_id = exploration.id
 ORDER BY known.asset_id, staged_place.resource_id
    ON CONFLICT (asset_id, resource_id) DO UPDATE
   SET via = excluded.via, why = excluded.why, page_id = excluded.page_id, path = '{}';
