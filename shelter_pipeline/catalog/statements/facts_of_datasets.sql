-- What is known of every dataset that lists a file, at most a hundred of them, the most popular first.
SELECT dataset.id AS dataset_id, dataset.slug, dataset.title, dataset.keywords, dataset.themes, dataset.state,
       dataset.modified, organization.key AS organization, organization.slug AS organization_slug,
       organization.name AS organization_name, sighting.popularity AS views,
       dataset_signal.popularity, dataset_signal.threat, dataset_signal.dead_links, dataset_signal.relevance,
       dataset_signal.completeness,
       (SELECT loss.state FROM loss WHERE loss.dataset_id = dataset.id
           AND loss.state IN ('withheld', 'suspected', 'confirmed') LIMIT 1) AS lost,
       (SELECT count(*) FROM loss JOIN dataset AS gone ON gone.id = loss.dataset_id
         WHERE gone.organization_id = dataset.organization_id
           AND loss.state IN ('suspected', 'confirmed')) AS organization_lost,
       (SELECT count(*) FROM dataset AS whole WHERE whole.organization_id = dataset.organization_id)
           AS organization_datasets,
       best.name AS ranking, best.rank AS ranked, best.events, tally.files, tally.held
  FROM (SELECT DISTINCT resource.dataset_id
          FROM asset_resource JOIN resource ON resource.id = asset_resource.resource_id
         WHERE asset_resource.asset_id = :asset_id) AS member
  JOIN dataset ON dataset.id = member.dataset_id
  JOIN organization ON organization.id = dataset.organization_id
  LEFT JOIN sighting ON sighting.dataset_id = dataset.id
  LEFT JOIN dataset_signal ON dataset_signal.dataset_id = dataset.id
  LEFT JOIN LATERAL (SELECT ranking.name, rank.rank, rank.events
                       FROM rank JOIN ranking ON ranking.id = rank.ranking_id
                      WHERE rank.dataset_id = dataset.id ORDER BY rank.rank, ranking.id LIMIT 1) AS best ON true
 CROSS JOIN LATERAL (SELECT count(*) AS files, count(*) FILTER (WHERE asset.state = 'held') AS held
                       FROM resource
                       JOIN asset_resource ON asset_resource.resource_id = resource.id
                       JOIN asset ON asset.id = asset_resource.asset_id
                      WHERE resource.dataset_id = dataset.id) AS tally
 ORDER BY dataset_signal.popularity DESC NULLS LAST, dataset.id
 LIMIT 100;
