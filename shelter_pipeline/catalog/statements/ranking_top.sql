-- The first datasets of a ranking, those that share a rank by title.
SELECT rank.rank, dataset.identifier AS dataset, organization.key AS organization, dataset.title, rank.events
  FROM ranking
  JOIN rank ON rank.ranking_id = ranking.id
  JOIN dataset ON dataset.id = rank.dataset_id
  JOIN organization ON organization.id = dataset.organization_id
 WHERE ranking.name = :ranking
 ORDER BY rank.rank, dataset.title, dataset.id
 LIMIT :limit;
