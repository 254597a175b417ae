-- Datasets by their words, the most relevant first. Of very many matches a bounded number is ranked: first those with
-- the words in their titles. The same question gets the same ranks for as long as the records stay as they are.
WITH titled AS MATERIALIZED (
    SELECT found.dataset_id, found.document
      FROM dataset_search AS found
     WHERE found.title @@ (CAST(:query AS tsquery) && CAST(:facets AS tsquery))
       AND (CAST(:state AS text) IS NULL
            OR (found.dataset_id IN (SELECT id FROM dataset WHERE state = 'absent')) = (:state = 'absent'))
       AND (CAST(:modified_since AS timestamptz) IS NULL
            OR EXISTS (SELECT FROM dataset WHERE dataset.id = found.dataset_id AND dataset.modified >= :modified_since))
     LIMIT :most
), mentioned AS MATERIALIZED (
    SELECT found.dataset_id, found.document
      FROM dataset_search AS found
     WHERE found.document @@ (CAST(:query AS tsquery) && CAST(:facets AS tsquery))
       AND (CAST(:state AS text) IS NULL
            OR (found.dataset_id IN (SELECT id FROM dataset WHERE state = 'absent')) = (:state = 'absent'))
       AND (CAST(:modified_since AS timestamptz) IS NULL
            OR EXISTS (SELECT FROM dataset WHERE dataset.id = found.dataset_id AND dataset.modified >= :modified_since))
     LIMIT :most
), ranked AS (
    SELECT dataset_id AS id,
           CAST(ts_rank('{0.05, 0.2, 0.4, 1.0}', document,
                        CAST(:query AS tsquery), 1) AS float8) AS rank
      FROM (SELECT * FROM titled
            UNION ALL
            SELECT * FROM mentioned WHERE dataset_id NOT IN (SELECT dataset_id FROM titled)) AS candidate
     WHERE numnode(CAST(:query AS tsquery)) > 0
)
SELECT id, rank, (SELECT count(*) FROM ranked) AS ranked, (SELECT count(*) = :most FROM mentioned) AS capped
  FROM ranked
 WHERE CAST(:after_rank AS float8) IS NULL
    OR rank < :after_rank
    OR (rank = :after_rank AND id > :after_id)
 ORDER BY rank DESC, id
 LIMIT :limit;
