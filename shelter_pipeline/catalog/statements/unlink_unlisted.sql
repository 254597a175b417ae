-- A page that was read whole no longer leads to files that it does not name, unless we hold them: those stay findable.
-- What nothing leads to any more leaves the batch it waits in; found again, it is planned again.
WITH whole AS (
    SELECT id, exploration_id FROM staged_page
     WHERE state = 'read' AND NOT left_behind ? 'files' AND NOT left_behind ? 'bytes'
), unlinked AS (
    DELETE FROM asset_resource
     USING whole, asset
     WHERE asset_resource.page_id = whole.id
       AND asset.id = asset_resource.asset_id
       AND asset.sha256 IS NULL
       AND NOT EXISTS (SELECT FROM staged_finding
                        WHERE staged_finding.page_id = whole.id AND staged_finding.url_hash = asset.url_hash)
    RETURNING asset_resource.asset_id, asset_resource.resource_id, whole.exploration_id
), changed AS (
    UPDATE exploration SET changed = true WHERE id IN (SELECT exploration_id FROM unlinked)
)
UPDATE asset
   SET batch_id = NULL
  FROM batch
 WHERE asset.id IN (SELECT asset_id FROM unlinked)
   AND batch.id = asset.batch_id
   AND batch.state = 'planned'
   AND NOT EXISTS (SELECT FROM asset_resource
                    WHERE asset_resource.asset_id = asset.id
                      AND (asset_resource.asset_id, asset_resource.resource_id)
                          NOT IN (SELECT asset_id, resource_id FROM unlinked));
