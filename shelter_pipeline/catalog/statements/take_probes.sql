-- Take files for a while, each for one run: what somebody else has taken meanwhile is not returned.
WITH taken AS (
    INSERT INTO probe (asset_id, host, taken_until)
    SELECT asset.id, asset.host, now() + make_interval(secs => :lease_seconds)
      FROM asset
     WHERE asset.id = ANY (:asset_ids)
     ORDER BY asset.id
        ON CONFLICT (asset_id) DO UPDATE
       SET taken_until = excluded.taken_until
     WHERE probe.taken_until IS NULL OR probe.taken_until <= now()
    RETURNING asset_id, host, interval_seconds, failures, alarm, only_size, seen_at, size, etag, last_modified
)
SELECT taken.asset_id, taken.host, asset.url, asset.kind, asset.state = 'held' AS held, asset.reason,
       asset.size AS kept_size, asset.etag AS kept_etag, asset.last_modified AS kept_last_modified,
       taken.interval_seconds, taken.failures, taken.alarm, taken.only_size, taken.seen_at IS NOT NULL AS seen,
       taken.size AS seen_size, taken.etag AS seen_etag, taken.last_modified AS seen_last_modified
  FROM taken
  JOIN asset ON asset.id = taken.asset_id;
