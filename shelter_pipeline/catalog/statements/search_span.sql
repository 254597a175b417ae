-- The last id of the next portion of datasets; null when there is none. One portion is indexed at a time, whoever asks.
SELECT max(id) AS last
  FROM (SELECT id FROM dataset WHERE id > :after AND id <= :up_to ORDER BY id LIMIT :portion) AS looked
 CROSS JOIN (SELECT pg_advisory_xact_lock(hashtext('shelter dataset_search'))) AS locked;
