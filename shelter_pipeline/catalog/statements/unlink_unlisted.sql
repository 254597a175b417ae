-- A page that was read whole no longer leads to files that it does not name, and one that is gone to none, unless we
-- hold them: those stay findable. A wall before a page says nothing of its files.
WITH whole AS (
    SELECT id, exploration_id FROM staged_page
     WHERE (state = 'read' AND what NOT IN ('login-wall', 'processing')
            AND NOT left_behind ? 'files' AND NOT left_behind ? 'bytes' AND NOT left_behind ? 'unreadable')
        OR (state = 'failed' AND reason IN ('not-found', 'gone'))
), unlinked AS (
    DELETE FROM asset_resource
     USING whole, asset
     WHERE asset_resource.page_id = whole.id
       AND asset.id = asset_resource.asset_id
       AND asset.sha256 IS NULL
       AND NOT EXISTS (SELECT FROM staged_finding
                        WHERE staged_finding.page_id = whole.id AND staged_finding.url_hash = asset.url_hash)
    RETURNING asset_resource.asset_id, whole.exploration_id
), changed AS (
    UPDATE exploration SET changed = true WHERE id IN (SELECT exploration_id FROM unlinked)
)
INSERT INTO staged_unlinked (asset_id) SELECT asset_id FROM unlinked;
