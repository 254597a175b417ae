-- Records whose words nobody has looked at with this vocabulary, by what is kept of each; `dataset_ids` null: of all.
SELECT dataset.id, dataset.changed_at, dataset.title, dataset.keywords, dataset.themes
  FROM (SELECT listed.id
          FROM dataset AS listed
          LEFT JOIN dataset_signal ON dataset_signal.dataset_id = listed.id
         WHERE (dataset_signal.dataset_id IS NULL
                OR dataset_signal.record_at <> listed.changed_at
                OR dataset_signal.vocabulary <> :vocabulary)
           AND (CAST(:dataset_ids AS bigint[]) IS NULL OR listed.id = ANY (CAST(:dataset_ids AS bigint[])))
       ) AS unread
  JOIN dataset ON dataset.id = unread.id;
