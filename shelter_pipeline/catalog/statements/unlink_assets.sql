-- A resource no longer counts assets it does not lead to any more, unless we hold them: those stay findable.
-- What nothing leads to leaves the batch it waits in; found again, it is planned again.
WITH unlinked AS (
    DELETE FROM asset_resource
     USING staged_outcome, asset
     WHERE asset_resource.resource_id = staged_outcome.resource_id
       AND asset.id = asset_resource.asset_id
       AND asset.sha256 IS NULL
       AND NOT EXISTS (SELECT FROM staged_finding
                        WHERE staged_finding.resource_id = asset_resource.resource_id
                          AND staged_finding.url_hash = asset.url_hash)
    RETURNING asset_resource.asset_id, asset_resource.resource_id
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
