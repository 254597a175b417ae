-- Resources keep their identity by key, and are listed while their dataset lists them.
INSERT INTO resource (dataset_id, key, position, role, url, name, description, format, media_type, size, checksum)
SELECT dataset.id, staged.key, staged.position, staged.role, staged.url, staged.name, staged.description,
       staged.format, staged.media_type, staged.size, staged.checksum
  FROM staged_resource AS staged
  JOIN dataset ON dataset.portal_id = :portal_id AND dataset.identifier = staged.identifier
    ON CONFLICT (dataset_id, key) DO UPDATE
   SET position = excluded.position, role = excluded.role, url = excluded.url, name = excluded.name,
       description = excluded.description, format = excluded.format, media_type = excluded.media_type,
       size = excluded.size, checksum = excluded.checksum, listed = true;
