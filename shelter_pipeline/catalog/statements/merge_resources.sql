-- Resources keep their identity by key, and are listed while their dataset lists them; equal ones are not written.
INSERT INTO resource (dataset_id, key, position, role, url, name, description, format, media_type, size, checksum)
SELECT dataset_id, key, position, role, url, name, description, format, media_type, size, checksum
  FROM staged_resource
    ON CONFLICT (dataset_id, key) DO UPDATE
   SET position = excluded.position, role = excluded.role, url = excluded.url, name = excluded.name,
       description = excluded.description, format = excluded.format, media_type = excluded.media_type,
       size = excluded.size, checksum = excluded.checksum, listed = true
 WHERE (resource.position, resource.role, resource.url, resource.name, resource.description, resource.format,
        resource.media_type, resource.size, resource.checksum, resource.listed)
       IS DISTINCT FROM
       (excluded.position, excluded.role, excluded.url, excluded.name, excluded.description, excluded.format,
        excluded.media_type, excluded.size, excluded.checksum, true);
