-- Captures that the catalog does not have. A capture is the same if file, begin and end are, to the microsecond: tokens
-- are of the database that gave them, and manifests of several runs of a batch tell the same capture again.
INSERT INTO capture (asset_id, batch_id, late, verdict, reason, detail, final_url, status, heads, flags, requests,
                     wire_bytes, sha256, size, started_at, finished_at)
SELECT *
  FROM (SELECT DISTINCT ON (asset.id, told.started_at, told.finished_at)
               asset.id, batch.id AS batch_id, told.late, told.verdict, told.reason, told.detail, told.final_url,
               told.status, told.heads, told.flags, told.requests, told.wire_bytes, told.sha256, told.size,
               told.started_at, told.finished_at
          FROM restored_capture AS told
          JOIN asset ON asset.url_hash = told.url_hash
          LEFT JOIN batch ON batch.key = told.batch_key
         WHERE NOT EXISTS (SELECT FROM capture
                            WHERE capture.asset_id = asset.id
                              AND capture.started_at = told.started_at
                              AND capture.finished_at = told.finished_at)
         ORDER BY asset.id, told.started_at, told.finished_at, batch.id) AS new
 ORDER BY new.finished_at, new.id;
