-- When a round has ended, the resources of a place lead only to what its pages of this round give, and to what we hold:
-- not to what a resource led to before its address changed, or what pages gave that nothing leads to any more. The
-- place itself, if it was taken for a file, stays one, and the failure it may be, until it leads to data.
WITH unlinked AS (
    DELETE FROM asset_resource
     USING resource, staged_exploration, exploration, asset
     WHERE staged_exploration.ended
       AND exploration.id = staged_exploration.id
       AND resource.exploration_id = exploration.id
       AND asset_resource.resource_id = resource.id
       AND asset.id = asset_resource.asset_id
       AND asset.sha256 IS NULL
       AND (staged_exploration.outcome IN ('found', 'found-in-part')
            OR asset.url_hash <> exploration.url_hash)
       AND NOT EXISTS (SELECT FROM exploration_page AS page
                        WHERE page.id = asset_resource.page_id
                          AND page.exploration_id = exploration.id
                          AND page.round = exploration.round)
    RETURNING asset_resource.asset_id, asset_resource.resource_id, exploration.id AS exploration_id
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
