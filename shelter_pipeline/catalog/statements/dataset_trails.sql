-- What became of each link that a dataset lists: what it is, how its place stands, and how many files it leads to.
SELECT resource.url, resource.role, resource.classified_as AS kind, resource.rule, resource.repair, resource.outcome,
       resource.outcome_detail AS detail, resource.discovered_at,
       (SELECT count(*) FROM asset_resource WHERE asset_resource.resource_id = resource.id) AS files,
       (SELECT count(*) FROM asset_resource
          JOIN asset ON asset.id = asset_resource.asset_id AND asset.state = 'held'
         WHERE asset_resource.resource_id = resource.id) AS held,
       (SELECT count(*) FROM exploration_page AS page
         WHERE page.exploration_id = exploration.id AND page.round = exploration.round) AS pages,
       exploration.due_at AS next_look
  FROM resource
  JOIN dataset ON dataset.id = resource.dataset_id
  LEFT JOIN exploration ON exploration.id = resource.exploration_id
 WHERE dataset.slug = :dataset
   AND resource.listed
 ORDER BY dataset.id, resource.position
 LIMIT :limit;
