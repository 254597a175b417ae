-- One replaced version of a dataset's record with the portal's own text of it.
SELECT dataset_version.id, dataset_version.valid_from, dataset_version.replaced_at, dataset_version.substantive,
       dataset_version.changes, encode(dataset_version.record_hash, 'hex') AS record_hash, dataset_version.raw,
       (SELECT max(earlier.id) FROM dataset_version AS earlier
         WHERE earlier.dataset_id = :dataset_id AND earlier.id < dataset_version.id) AS earlier_id,
       (SELECT min(later.id) FROM dataset_version AS later
         WHERE later.dataset_id = :dataset_id AND later.id > dataset_version.id) AS later_id
  FROM dataset_version
 WHERE dataset_version.dataset_id = :dataset_id
   AND dataset_version.id = :version_id;
