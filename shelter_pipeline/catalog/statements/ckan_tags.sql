-- Keywords of datasets that begin so, each once, in order.
SELECT DISTINCT keyword.name
  FROM dataset
 CROSS JOIN LATERAL unnest(dataset.keywords) AS keyword (name)
 WHERE CAST(:beginning AS text) = '' OR starts_with(lower(keyword.name), lower(:beginning))
 ORDER BY keyword.name
OFFSET :offset
 LIMIT :limit;
