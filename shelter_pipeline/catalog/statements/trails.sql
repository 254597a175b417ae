-- How a file was found: every resource that leads to it, and the pages between them, with what made each worth reading.
SELECT portal.slug AS portal, organization.key AS organization, dataset.slug AS dataset, dataset.title,
       resource.url AS resource, resource.classified_as AS kind, resource.rule, resource.outcome,
       asset_resource.via, asset_resource.why,
       CASE WHEN asset_resource.page_id IS NULL
            THEN (SELECT coalesce(jsonb_agg(jsonb_build_object('url', url)), '[]') FROM unnest(asset_resource.path) AS url)
            ELSE way.pages
       END AS pages
  FROM asset
  JOIN asset_resource ON asset_resource.asset_id = asset.id
  JOIN resource ON resource.id = asset_resource.resource_id
  JOIN dataset ON dataset.id = resource.dataset_id
  JOIN organization ON organization.id = dataset.organization_id
  JOIN portal ON portal.id = dataset.portal_id
 CROSS JOIN LATERAL (
       WITH RECURSIVE above AS (
           SELECT page.*, 0 AS distance FROM exploration_page AS page WHERE page.id = asset_resource.page_id
           UNION ALL
           SELECT page.*, above.distance + 1 FROM above JOIN exploration_page AS page ON page.id = above.parent_id
       )
       SELECT coalesce(jsonb_agg(jsonb_build_object('url', url, 'why', why, 'label', label, 'what', what,
                                                    'read_at', read_at) ORDER BY distance DESC), '[]') AS pages
         FROM above
 ) AS way
 WHERE asset.url_hash = :url_hash
 ORDER BY portal.slug, dataset.slug, resource.position
 LIMIT :limit;
