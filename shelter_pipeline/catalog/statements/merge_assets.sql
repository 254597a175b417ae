-- One asset for each distinct URL, however many resources name it; the answer is how many were new. A new checksum,
-- or a new promise of a file that failed, makes it wanted again: what stopped it may be gone. Held bytes stay held.
WITH merged AS (
    INSERT INTO asset (url, url_hash, host, kind, format, media_type, expected_size, estimated_size, checksum)
    SELECT DISTINCT ON (url_hash) url, url_hash, host, kind, format, media_type, size, estimated_size, checksum
      FROM staged_finding
     ORDER BY url_hash, resource_id
        ON CONFLICT (url_hash) DO UPDATE
       SET format = coalesce(excluded.format, asset.format),
           media_type = coalesce(excluded.media_type, asset.media_type),
           expected_size = coalesce(excluded.expected_size, asset.expected_size),
           estimated_size = coalesce(excluded.estimated_size, asset.estimated_size),
           checksum = coalesce(excluded.checksum, asset.checksum),
           state = CASE WHEN asset.sha256 IS NULL THEN 'pending' ELSE 'held' END,
           attempts = 0,
           next_attempt_at = now()
     WHERE coalesce(excluded.checksum, asset.checksum) IS DISTINCT FROM asset.checksum
        OR (asset.state = 'failed'
            AND (coalesce(excluded.format, asset.format), coalesce(excluded.expected_size, asset.expected_size))
                IS DISTINCT FROM (asset.format, asset.expected_size))
    RETURNING xmax = 0 AS is_new
)
SELECT count(*) FILTER (WHERE is_new) FROM merged;
