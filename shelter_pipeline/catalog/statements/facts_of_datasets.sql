-- What is known of every dataset that lists one of these files, of each file at most a hundred, the most popular first.
WITH member AS MATERIALIZED (
    SELECT wanted.asset_id, listing.*
      FROM unnest(CAST(:asset_ids AS bigint[])) AS wanted (asset_id)
     CROSS JOIN LATERAL (SELECT dataset.id AS dataset_id, dataset.organization_id, dataset_signal.popularity
                           FROM (SELECT DISTINCT resource.dataset_id
                                   FROM asset_resource JOIN resource ON resource.id = asset_resource.resource_id
                                  WHERE asset_resource.asset_id = wanted.asset_id) AS listed
                           JOIN dataset ON dataset.id = listed.dataset_id
                           LEFT JOIN dataset_signal ON dataset_signal.dataset_id = dataset.id
                          ORDER BY dataset_signal.popularity DESC NULLS LAST, dataset.id
                          LIMIT 100) AS listing
), owner AS MATERIALIZED (
    -- Files of one list mostly have one publisher, and its datasets may be tens of thousands: they are counted once.
    SELECT organization.id, organization.key, organization.slug, organization.name,
           (SELECT count(*) FROM loss JOIN dataset AS gone ON gone.id = loss.dataset_id
             WHERE gone.organization_id = organization.id AND loss.state IN ('suspected', 'confirmed')) AS lost,
           (SELECT count(*) FROM dataset AS whole WHERE whole.organization_id = organization.id) AS datasets
      FROM organization
     WHERE organization.id IN (SELECT organization_id FROM member)
)
SELECT member.asset_id, dataset.id AS dataset_id, dataset.slug, dataset.title, dataset.keywords, dataset.themes,
       dataset.state, dataset.modified, owner.key AS organization, owner.slug AS organization_slug,
       owner.name AS organization_name, sighting.popularity AS views,
       dataset_signal.popularity, dataset_signal.threat, dataset_signal.dead_links, dataset_signal.relevance,
       dataset_signal.completeness,
       (SELECT loss.state FROM loss WHERE loss.dataset_id = dataset.id
           AND loss.state IN ('withheld', 'suspected', 'confirmed') LIMIT 1) AS lost,
       owner.lost AS organization_lost, owner.datasets AS organization_datasets,
       best.name AS ranking, best.rank AS ranked, best.events, tally.files, tally.held
  FROM member
  JOIN dataset ON dataset.id = member.dataset_id
  JOIN owner ON owner.id = member.organization_id
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
 ORDER BY member.asset_id, dataset_signal.popularity DESC NULLS LAST, dataset.id;
