-- The versions of a record that were replaced, newest first, with what changed after each.
SELECT id, valid_from, replaced_at, encode(record_hash, 'hex') AS record_hash, substantive, changes
  FROM dataset_version
 WHERE dataset_id = :dataset_id
 ORDER BY id DESC
 LIMIT :limit;
