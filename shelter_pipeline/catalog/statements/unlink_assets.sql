-- A resource no longer counts assets it does not lead to any more, unless we hold them: those stay findable.
WITH unlinked AS (
    DELETE FROM asset_resource
     USING staged_outcome, asset
     WHERE asset_resource.resource_id = staged_outcome.resource_id
       AND asset.id = asset_resource.asset_id
       AND asset.sha256 IS NULL
       AND NOT EXISTS (SELECT FROM staged_finding
                        WHERE staged_finding.resource_id = asset_resource.resource_id
                          AND staged_finding.url_hash = asset.url_hash)
    RETURNING asset_resource.asset_id
)
INSERT INTO staged_unlinked (asset_id) SELECT asset_id FROM unlinked;
