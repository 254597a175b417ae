-- What a manifest says of the files of a batch, those that it captured and those that wait in it, or of given files: their promise, their
-- state, and the end of the last capture that the state follows from.
SELECT 'asset' AS line, asset.url, asset.kind, asset.format, asset.media_type, asset.checksum, asset.expected_size,
       asset.state, asset.reason, asset.sha256, asset.size, asset.etag, asset.last_modified, asset.attempts,
       to_char(asset.next_attempt_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS next_attempt_at,
       to_char(asset.found_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS found_at,
       (SELECT to_char(max(capture.finished_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
          FROM capture
         WHERE capture.asset_id = asset.id AND NOT capture.late) AS captured_at
  FROM asset
 WHERE asset.id IN (SELECT asset_id FROM capture WHERE batch_id = :batch_id
                     UNION
                    SELECT id FROM asset WHERE batch_id = :batch_id
                     UNION
                    SELECT unnest(CAST(:asset_ids AS bigint[])))
 ORDER BY asset.id;
