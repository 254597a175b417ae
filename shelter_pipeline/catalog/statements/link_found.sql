-- The way from every resource of a place to each file that a page of it gives. A file that several pages give keeps the
-- first of this round; one whose page is of an earlier round or another place, or no longer gives it, comes to the page
-- that does.
WITH settled AS (
    SELECT page.id, page.exploration_id
      FROM staged_exploration
      JOIN exploration USING (id)
      JOIN exploration_page AS page ON page.exploration_id = exploration.id AND page.round = exploration.round
     WHERE page.state = 'read'
       AND NOT EXISTS (SELECT FROM staged_page WHERE staged_page.id = page.id)
), linked AS (
    INSERT INTO asset_resource AS known (asset_id, resource_id, via, why, page_id)
    SELECT DISTINCT ON (asset.id, resource.id)
           asset.id, resource.id, staged_finding.via, staged_finding.why, staged_finding.page_id
      FROM staged_finding
      JOIN asset USING (url_hash)
      JOIN resource ON resource.exploration_id = staged_finding.exploration_id
     ORDER BY asset.id, resource.id, staged_finding.page_id
        ON CONFLICT (asset_id, resource_id) DO UPDATE
       SET via = excluded.via, why = excluded.why, page_id = excluded.page_id, path = '{}'
     WHERE known.page_id IS NULL
        OR (known.page_id <> excluded.page_id
            AND (known.page_id, (SELECT mine.exploration_id FROM resource AS mine WHERE mine.id = known.resource_id))
                NOT IN (SELECT id, exploration_id FROM settled))
    RETURNING resource_id, xmax = 0 AS is_new
)
UPDATE exploration
   SET changed = true
 WHERE id IN (SELECT resource.exploration_id FROM linked JOIN resource ON resource.id = linked.resource_id
               WHERE linked.is_new);
