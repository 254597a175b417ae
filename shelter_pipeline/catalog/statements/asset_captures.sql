-- The captures of a file, newest first, before an id.
SELECT id, asset_id, verdict, reason, detail, final_url, status, flags, requests, wire_bytes, sha256, size, late,
       node_id IS NOT NULL AS by_node, started_at, finished_at
  FROM capture
 WHERE asset_id = :asset_id
   AND (CAST(:before AS bigint) IS NULL OR id < :before)
 ORDER BY id DESC
 LIMIT :limit;
