-- What an organization still wants: due, not given up, not excluded, in no batch that is still to run, and
-- fetched by no node just now.
SELECT asset.id, asset.host, coalesce(asset.size, asset.expected_size, asset.estimated_size) AS size,
       coalesce(priority.score, 0) AS score
  FROM asset
  LEFT JOIN priority ON priority.asset_id = asset.id
  LEFT JOIN batch ON batch.id = asset.batch_id
 WHERE asset.next_attempt_at <= now()
   AND asset.state <> 'dead'
   AND NOT coalesce(priority.excluded, false)
   AND (batch.id IS NULL OR batch.state IN ('done', 'failed'))
   AND NOT EXISTS (SELECT FROM claim
                    WHERE claim.asset_id = asset.id AND claim.state = 'held' AND claim.purpose = 'fetch'
                      AND claim.node_id IS NOT NULL)
   AND EXISTS (SELECT FROM asset_resource
                 JOIN resource ON resource.id = asset_resource.resource_id
                 JOIN dataset ON dataset.id = resource.dataset_id
                WHERE asset_resource.asset_id = asset.id
                  AND dataset.organization_id = :organization_id)
 ORDER BY asset.host, score DESC, asset.id;
