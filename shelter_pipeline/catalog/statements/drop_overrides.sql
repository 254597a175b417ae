-- Files that no word reaches any more have none; `asset_ids` null: of all files.
DELETE FROM asset_override
 WHERE (CAST(:asset_ids AS bigint[]) IS NULL OR asset_id = ANY (CAST(:asset_ids AS bigint[])))
   AND NOT EXISTS (SELECT FROM staged_override WHERE staged_override.asset_id = asset_override.asset_id);
