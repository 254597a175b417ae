-- A file is held by bytes that a node brought and a proof has shown. The node's validators are no condition of a later
-- request, so that no server is led to confirm them without sending anything. Bytes that we ourselves got since the
-- report stay what the file holds; then the capture is late evidence. Returns the capture, none without a report.
WITH report AS (
    SELECT * FROM capture
     WHERE node_id = :node_id AND asset_id = :asset_id AND sha256 = :sha256 AND reason = 'unproved' AND NOT late
     ORDER BY id DESC
     LIMIT 1
), before AS (
    SELECT report.*, asset.sha256 IS NOT DISTINCT FROM report.sha256 AS is_same,
           EXISTS (SELECT FROM capture
                    WHERE capture.asset_id = report.asset_id AND capture.id > report.id AND NOT capture.late
                      AND capture.node_id IS NULL AND capture.verdict IN ('stored', 'unchanged')) AS is_late
      FROM report
      JOIN asset ON asset.id = report.asset_id
), changed AS (
    UPDATE asset
       SET state = 'held', reason = CASE WHEN before.is_same THEN 'unchanged' ELSE 'stored' END, attempts = 0,
           sha256 = before.sha256, size = before.size,
           etag = CASE WHEN before.is_same THEN asset.etag END,
           last_modified = CASE WHEN before.is_same THEN asset.last_modified END,
           next_attempt_at = now() + make_interval(secs => :rest_seconds)
      FROM before
     WHERE asset.id = before.asset_id
       AND NOT before.is_late
)
INSERT INTO capture (asset_id, node_id, late, verdict, reason, detail, final_url, status, heads, flags, sha256, size,
                     started_at)
SELECT asset_id, node_id, is_late, CASE WHEN is_same THEN 'unchanged' ELSE 'stored' END,
       CASE WHEN is_same THEN 'unchanged' ELSE 'stored' END, :detail, final_url, status, heads,
       flags || CAST(:flags AS text[]), sha256, size, started_at
  FROM before
RETURNING id, verdict, late, started_at;
