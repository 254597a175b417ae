-- What is held on a liar's word alone is fetched again, all of it.
WITH doubted AS (
    UPDATE testimony SET wanted = true WHERE node_id = :node_id AND finding = 'open' RETURNING asset_id, sha256
)
UPDATE asset
   SET next_attempt_at = now(), etag = NULL, last_modified = NULL
  FROM doubted
 WHERE asset.id = doubted.asset_id
   AND asset.sha256 = doubted.sha256
   AND asset.state = 'held';
