-- A link that a resource still lists and that leads to nothing, or to a page in place of the file, is suspected lost;
-- not for a look that was known when a person dismissed the same suspicion. Where more than a handful, and more than
-- a share, of the links of an organization that were ever looked at fail for the first time at once, a fault of their
-- server is likelier: they are withheld.
WITH fresh AS (
    SELECT look.*
      FROM look
     WHERE look.kind IS NOT NULL
       AND look.portal_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM loss
                        WHERE loss.asset_id = look.asset_id
                          AND (loss.state IN ('withheld', 'suspected', 'confirmed')
                               OR (loss.state = 'dismissed' AND loss.decided_at >= look.finished_at)))
), placed AS (
    SELECT DISTINCT fresh.asset_id, dataset.organization_id
      FROM fresh
      JOIN asset_resource ON asset_resource.asset_id = fresh.asset_id
      JOIN resource ON resource.id = asset_resource.resource_id AND resource.listed
      JOIN dataset ON dataset.id = resource.dataset_id
), crowd AS (
    SELECT organization_id, count(*) AS failing FROM placed GROUP BY organization_id HAVING count(*) > :handful
), tripped AS (
    SELECT crowd.organization_id
      FROM crowd
     WHERE crowd.failing > :fraction * (
           SELECT count(DISTINCT asset.id)
             FROM dataset
             JOIN resource ON resource.dataset_id = dataset.id AND resource.listed
             JOIN asset_resource ON asset_resource.resource_id = resource.id
             JOIN asset ON asset.id = asset_resource.asset_id AND asset.reason IS NOT NULL
            WHERE dataset.organization_id = crowd.organization_id)
), judged AS (
    SELECT fresh.*, (SELECT min(organization.key)
                       FROM placed
                       JOIN tripped USING (organization_id)
                       JOIN organization ON organization.id = placed.organization_id
                      WHERE placed.asset_id = fresh.asset_id) AS breaker
      FROM fresh
)
INSERT INTO loss (portal_id, asset_id, kind, state, suspected_at, last_missed_at, evidence)
SELECT portal_id, asset_id, kind, CASE WHEN breaker IS NULL THEN 'suspected' ELSE 'withheld' END, finished_at, finished_at,
       jsonb_build_object('reason', reason, 'status', status, 'final_url', final_url, 'held', held,
                          'captures', jsonb_build_array(capture_id))
       || CASE WHEN breaker IS NULL THEN '{}' ELSE jsonb_build_object('breaker', breaker) END
  FROM judged
    ON CONFLICT DO NOTHING
RETURNING kind, state;
