-- What a manifest says of the files that a person has decided about, in the form of `manifest_assets`: the state that
-- the word left. `decided` says that it stands even where it takes back bytes that an earlier manifest tells of.
SELECT 'asset' AS line, true AS decided, asset.url, asset.kind, asset.format, asset.media_type, asset.checksum,
       asset.expected_size, asset.state, asset.reason, asset.sha256, asset.size, asset.etag, asset.last_modified,
       asset.attempts,
       to_char(asset.next_attempt_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS next_attempt_at,
       to_char(asset.found_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS found_at,
       (SELECT to_char(max(capture.finished_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
          FROM capture
         WHERE capture.asset_id = asset.id AND NOT capture.late) AS captured_at
  FROM asset
 WHERE asset.id IN (SELECT asset_id FROM capture WHERE id = ANY (:capture_ids))
 ORDER BY asset.id;
