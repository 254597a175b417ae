-- The captures of a file with the heads of their requests and replies, whose word they are, and the batch that asked for
-- them; newest first, before an id.
SELECT capture.id, capture.asset_id, capture.verdict, capture.reason, capture.detail, capture.final_url, capture.status,
       capture.flags, capture.requests, capture.wire_bytes, capture.sha256, capture.size, capture.late,
       capture.started_at, capture.finished_at, capture.heads, capture.node_id IS NOT NULL AS by_node, node.name AS node,
       batch.key AS batch, batch.run_id
  FROM capture
  LEFT JOIN node ON node.id = capture.node_id
  LEFT JOIN batch ON batch.id = capture.batch_id
 WHERE capture.asset_id = :asset_id
   AND (CAST(:before AS bigint) IS NULL OR capture.id < :before)
 ORDER BY capture.id DESC
 LIMIT :limit;
