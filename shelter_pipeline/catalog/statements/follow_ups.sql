-- What assets become after the claims in :settled. Bytes we hold stay held, whatever a later request brought.
UPDATE asset
   SET state = CASE WHEN coalesce(given.held_sha256, asset.sha256) IS NOT NULL THEN 'held' ELSE given.state END,
       reason = given.reason,
       attempts = given.attempts,
       next_attempt_at = now() + make_interval(secs => given.rest_seconds),
       sha256 = coalesce(given.held_sha256, asset.sha256),
       size = coalesce(given.held_size, asset.size),
       etag = CASE WHEN given.held_sha256 IS NULL THEN asset.etag ELSE given.etag END,
       last_modified = CASE WHEN given.held_sha256 IS NULL THEN asset.last_modified ELSE given.last_modified END
  FROM (SELECT *, CASE WHEN held THEN sha256 END AS held_sha256, CASE WHEN held THEN size END AS held_size
          FROM jsonb_to_recordset(CAST(:rows AS jsonb))
               AS row (asset_id bigint, token bigint, state text, reason text, attempts integer,
                       rest_seconds double precision, held boolean, sha256 text, size bigint, etag text,
                       last_modified text)) AS given
 WHERE asset.id = given.asset_id
   AND given.token = ANY (:settled);
