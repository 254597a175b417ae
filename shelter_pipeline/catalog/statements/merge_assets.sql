-- One asset for each distinct URL, however many resources name it. What is known of an asset is not overwritten.
INSERT INTO asset (url, url_hash, host, kind, format, media_type, expected_size, checksum)
SELECT DISTINCT ON (url_hash) url, url_hash, host, kind, format, media_type, size, checksum
  FROM staged_finding
 ORDER BY url_hash, resource_id
    ON CONFLICT (url_hash) DO NOTHING;
