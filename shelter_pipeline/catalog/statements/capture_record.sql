-- One capture with the heads of its requests and replies.
SELECT capture.id, capture.asset_id, asset.url, capture.verdict, capture.reason, capture.detail, capture.final_url,
       capture.status, capture.flags, capture.requests, capture.wire_bytes, capture.sha256, capture.size, capture.late,
       node.name AS node, capture.started_at, capture.finished_at, capture.heads
  FROM capture
  JOIN asset ON asset.id = capture.asset_id
  LEFT JOIN node ON node.id = capture.node_id
 WHERE capture.id = :capture_id;
