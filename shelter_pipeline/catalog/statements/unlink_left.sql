-- When a round has ended, the resources of a place lead only to what its pages of this round give, and to what we hold:
-- not to what a resource led to before its address changed, or what pages gave that nothing leads to any more. What lay
-- below a page that could not be read stays, unless that page is gone: nobody knows better. The place itself, if it was
-- taken for a file, stays one, and the failure it may be, until it leads to data.
WITH RECURSIVE given AS (
    SELECT page.id, page.exploration_id, page.round, page.state = 'failed' OR page.what IN ('login-wall', 'processing') AS is_unread
      FROM staged_exploration
      JOIN exploration USING (id)
      JOIN exploration_page AS page ON page.exploration_id = exploration.id AND page.round = exploration.round
     WHERE staged_exploration.ended
       AND NOT (page.state = 'failed' AND page.reason IN ('not-found', 'gone'))
    UNION ALL
    SELECT below.id, given.exploration_id, given.round, true
      FROM given
      JOIN exploration_page AS below ON below.parent_id = given.id
     WHERE given.is_unread
       AND below.round < given.round
), unlinked AS (
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
       AND NOT EXISTS (SELECT FROM given WHERE given.id = asset_resource.page_id AND given.exploration_id = exploration.id)
    RETURNING asset_resource.asset_id, exploration.id AS exploration_id
), changed AS (
    UPDATE exploration SET changed = true WHERE id IN (SELECT exploration_id FROM unlinked)
)
INSERT INTO staged_unlinked (asset_id) SELECT asset_id FROM unlinked;
