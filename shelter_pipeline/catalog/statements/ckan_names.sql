-- Slugs of datasets in order, after a slug and id, from the index alone: half a million of them are read in seconds.
SELECT dataset.slug, dataset.id
  FROM dataset
 WHERE (dataset.slug, dataset.id) > (:after_slug, :after_id)
 ORDER BY dataset.slug, dataset.id
OFFSET :offset
 LIMIT :limit;
