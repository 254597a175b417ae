-- Files that the catalog does not know; of one that it knows nothing is changed. A kind it has no word for is left out.
INSERT INTO asset (url, url_hash, host, kind, format, media_type, checksum, expected_size, found_at)
SELECT DISTINCT ON (url_hash) url, url_hash, host, asset_kind.slug, format, media_type, checksum, expected_size,
       coalesce(found_at, now())
  FROM restored_asset
  LEFT JOIN asset_kind ON asset_kind.slug = restored_asset.kind
 ORDER BY url_hash, found_at, num_nonnulls(format, media_type, checksum, expected_size) DESC
    ON CONFLICT (url_hash) DO NOTHING;
