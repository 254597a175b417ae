-- Files that were held by copies of which none is proved any more are wanted again, without a condition that their
-- server could answer with "unchanged".
UPDATE asset
   SET state = 'pending', reason = 'unproved', sha256 = NULL, size = NULL, etag = NULL, last_modified = NULL,
       next_attempt_at = now()
 WHERE sha256 = ANY (:digests)
   AND NOT EXISTS (SELECT FROM copy WHERE copy.sha256 = asset.sha256 AND copy.state = 'good');
