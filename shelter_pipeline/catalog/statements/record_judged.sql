-- Bytes that a node sent as it had reported them, and that are not the file: kept apart, and told like our own.
INSERT INTO capture (asset_id, node_id, verdict, reason, detail, final_url, status, heads, flags, sha256, size, started_at)
SELECT asset_id, node_id, :verdict, :reason, :detail, final_url, status, heads, flags || ARRAY['by-node'], sha256, size,
       started_at
  FROM capture
 WHERE node_id = :node_id AND asset_id = :asset_id AND sha256 = :sha256 AND reason = 'unproved' AND NOT late
 ORDER BY id DESC
 LIMIT 1;
