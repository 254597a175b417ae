-- Each asset goes to one holder: rows another claimer has locked are skipped, and the unique index on live
-- claims has the last word. A node that copies it from our store is in nobody's way. A holder meets each asset of a
-- batch once, so a run ends; what rests is not touched.
WITH wanted AS (
    SELECT asset.id
      FROM asset
     WHERE asset.batch_id = :batch_id
       AND asset.state <> 'dead'
       AND asset.next_attempt_at <= now()
       AND NOT EXISTS (SELECT FROM claim
                        WHERE claim.asset_id = asset.id
                          AND ((claim.state = 'held' AND claim.purpose = 'fetch')
                               OR (claim.holder = :holder AND claim.state <> 'released')))
     ORDER BY asset.id
     LIMIT :limit
       FOR UPDATE SKIP LOCKED
), taken AS (
    INSERT INTO claim (asset_id, batch_id, holder, lease_until)
    SELECT id, :batch_id, :holder, now() + make_interval(secs => :lease_seconds) FROM wanted
        ON CONFLICT DO NOTHING
    RETURNING token, asset_id
)
SELECT taken.token, asset.id AS asset_id, asset.url, asset.host, asset.format, asset.media_type, asset.checksum,
       asset.expected_size, asset.sha256, asset.etag, asset.last_modified, asset.attempts, asset.size AS held_size,
       -- include rulings
  FROM taken
  JOIN asset ON asset.id = taken.asset_id
 ORDER BY taken.token;
