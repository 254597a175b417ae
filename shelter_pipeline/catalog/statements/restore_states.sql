-- A file becomes what its newest manifest says, unless the catalog has a later capture of it. Bytes of which no good copy
-- is known are not held: the file is wanted again, without a condition that its server could answer with "unchanged".
-- What was held before stays so where a later attempt failed, but not where a person decided that it is not the file.
WITH newest AS (
    SELECT DISTINCT ON (url_hash) restored_state.*,
           EXISTS (SELECT FROM copy WHERE copy.sha256 = restored_state.sha256 AND copy.state = 'good') AS is_held,
           NOT (decided AND restored_state.sha256 IS NULL) AS keeps_earlier,
           batch.id AS batch_id
      FROM restored_state
      LEFT JOIN batch ON batch.key = restored_state.batch_key
     ORDER BY url_hash, moment DESC, attempts DESC, next_attempt_at DESC
)
UPDATE asset
   SET state = CASE WHEN newest.is_held OR (asset.sha256 IS NOT NULL AND newest.keeps_earlier) THEN 'held'
                    WHEN newest.sha256 IS NOT NULL THEN 'pending'
                    ELSE newest.state END,
       reason = newest.reason,
       attempts = newest.attempts,
       next_attempt_at = CASE WHEN newest.sha256 IS NOT NULL AND NOT newest.is_held THEN now()
                              ELSE newest.next_attempt_at END,
       sha256 = CASE WHEN newest.is_held THEN newest.sha256 WHEN newest.keeps_earlier THEN asset.sha256 END,
       size = CASE WHEN newest.is_held THEN newest.size WHEN newest.keeps_earlier THEN asset.size END,
       etag = CASE WHEN newest.is_held THEN newest.etag
                   WHEN newest.sha256 IS NULL AND newest.keeps_earlier THEN asset.etag END,
       last_modified = CASE WHEN newest.is_held THEN newest.last_modified
                            WHEN newest.sha256 IS NULL AND newest.keeps_earlier THEN asset.last_modified END,
       batch_id = coalesce(newest.batch_id, asset.batch_id)
  FROM newest
 WHERE asset.url_hash = newest.url_hash
   AND newest.moment > coalesce((SELECT max(capture.finished_at)
                                   FROM capture
                                  WHERE capture.asset_id = asset.id AND NOT capture.late), '-infinity');
