-- What an asset becomes. Bytes we hold stay held, whatever a later request brought.
UPDATE asset
   SET state = CASE WHEN coalesce(:sha256, sha256) IS NOT NULL THEN 'held' ELSE :state END,
       reason = :reason,
       attempts = :attempts,
       next_attempt_at = now() + make_interval(secs => CAST(:rest_seconds AS double precision)),
       sha256 = coalesce(:sha256, sha256),
       size = coalesce(:size, size),
       etag = CASE WHEN :sha256 IS NULL THEN etag ELSE :etag END,
       last_modified = CASE WHEN :sha256 IS NULL THEN last_modified ELSE :last_modified END
 WHERE id = :asset_id;
