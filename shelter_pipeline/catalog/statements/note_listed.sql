-- What a page says of files: the size of one that nobody has weighed, and when it was last changed. A file that we hold
-- and that was changed since its page was read before is due at once; whether it really changed, its fetch tells.
WITH listed AS (
    SELECT DISTINCT ON (url_hash) url_hash, estimated_size, listed_modified
      FROM staged_finding
     WHERE estimated_size IS NOT NULL OR listed_modified IS NOT NULL
     ORDER BY url_hash, listed_modified DESC NULLS LAST
)
UPDATE asset
   SET estimated_size = coalesce(asset.estimated_size, listed.estimated_size),
       listed_modified = coalesce(listed.listed_modified, asset.listed_modified),
       next_attempt_at = CASE WHEN asset.state = 'held' AND listed.listed_modified > asset.listed_modified
                              THEN least(asset.next_attempt_at, now())
                              ELSE asset.next_attempt_at END
  FROM listed
 WHERE asset.url_hash = listed.url_hash
   AND (asset.estimated_size IS NULL AND listed.estimated_size IS NOT NULL
        OR listed.listed_modified IS DISTINCT FROM asset.listed_modified AND listed.listed_modified IS NOT NULL);
