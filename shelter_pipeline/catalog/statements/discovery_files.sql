-- The files that a portal's resources lead to, by kind, and what they weigh as far as anybody says.
WITH member AS (
    SELECT DISTINCT asset_resource.asset_id
      FROM asset_resource
      JOIN resource ON resource.id = asset_resource.resource_id
      JOIN dataset ON dataset.id = resource.dataset_id
     WHERE dataset.portal_id = :portal_id
)
SELECT coalesce(asset.kind, 'unknown') AS kind, count(*) AS files,
       count(coalesce(asset.size, asset.expected_size, asset.estimated_size)) AS weighed,
       coalesce(sum(coalesce(asset.size, asset.expected_size, asset.estimated_size)), 0)::bigint AS bytes
  FROM member
  JOIN asset ON asset.id = member.asset_id
 GROUP BY 1
 ORDER BY 2 DESC, 1;
