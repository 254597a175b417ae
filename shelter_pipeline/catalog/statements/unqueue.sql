-- These files wait no longer. The caller holds the rows locked, or does not mind: those that others are at stay.
DELETE FROM work
 WHERE asset_id IN (SELECT asset_id FROM work
                     WHERE asset_id = ANY (CAST(:asset_ids AS bigint[])) ORDER BY asset_id FOR UPDATE SKIP LOCKED);
