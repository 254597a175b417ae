-- A few datasets with a word in their titles that begins so; as it is written, and as its stem, for stems are what is kept.
SELECT dataset_search.dataset_id AS id
  FROM dataset_search
 WHERE dataset_search.title @@ (to_tsquery('simple', :prefix) || to_tsquery('english', :prefix))
 LIMIT :limit;
