-- Names of datasets as CKAN clients know them, in order, after a slug and id. The first dataset with a slug has it as its
-- name, a later one has its own number behind it: names are unique, and a name once given stays.
SELECT dataset.slug, dataset.id,
       EXISTS (SELECT FROM dataset AS other WHERE other.slug = dataset.slug AND other.id < dataset.id) AS repeated
  FROM dataset
 WHERE (dataset.slug, dataset.id) > (:after_slug, :after_id)
 ORDER BY dataset.slug, dataset.id
OFFSET :offset
 LIMIT :limit;
