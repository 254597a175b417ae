-- Resources that their dataset does not list any more, but that led to a file.
INSERT INTO resource (dataset_id, key, position, role, url, name, description, format, media_type, size, checksum,
                      listed)
SELECT DISTINCT ON (dataset_id, key)
       dataset_id, key, position, role, url, name, description, format, media_type, size, checksum, false
  FROM restored_resource
 WHERE is_unlisted
 ORDER BY dataset_id, key
    ON CONFLICT (dataset_id, key) DO NOTHING;
