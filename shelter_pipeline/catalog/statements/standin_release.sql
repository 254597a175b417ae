-- Stand-in for part B: claims of this node are free again.
UPDATE claim SET state = 'released', ended_at = now()
 WHERE node_id = :node_id AND state = 'held'
   AND (CAST(:asset_ids AS bigint[]) IS NULL OR asset_id = ANY(:asset_ids))
   AND (CAST(:token AS bigint) IS NULL OR token = :token);
