-- A node's own claims among these, whatever became of them, with what is known of their files. Another node's are not
-- told from those that never were.
SELECT claim.token, asset.id AS asset_id, asset.url, asset.host, asset.format, asset.media_type, asset.checksum,
       asset.expected_size, asset.sha256, asset.etag, asset.last_modified, asset.attempts, asset.size AS held_size,
       claim.purpose, claim.state, claim.state = 'held' AND claim.lease_until > now() AS live, claim.outcome
  FROM claim
  JOIN asset ON asset.id = claim.asset_id
 WHERE claim.token = ANY (CAST(:tokens AS bigint[]))
   AND claim.node_id = :node_id
 ORDER BY claim.token;
