-- Stand-in for part B: due assets without a live claim, best first.
WITH wanted AS (
    SELECT asset.id
      FROM asset
      LEFT JOIN priority ON priority.asset_id = asset.id
     WHERE asset.state = 'pending'
       AND coalesce(asset.expected_size, asset.estimated_size, 10485760) <= :free_bytes
       AND NOT EXISTS (SELECT FROM claim WHERE claim.asset_id = asset.id AND claim.state = 'held')
     ORDER BY coalesce(priority.score, 0) DESC, asset.id
     LIMIT :limit
       FOR UPDATE OF asset SKIP LOCKED
), taken AS (
    INSERT INTO claim (asset_id, node_id, holder, lease_until)
    SELECT id, :node_id, :holder, now() + make_interval(secs => :lease_seconds) FROM wanted
        ON CONFLICT DO NOTHING
    RETURNING token, asset_id, lease_until
)
SELECT taken.token, taken.lease_until, asset.id AS asset_id, asset.url, asset.host, asset.format, asset.media_type,
       asset.checksum, asset.expected_size, coalesce(asset.expected_size, asset.estimated_size) AS size_bytes,
       coalesce(priority.level, 1) AS priority, dataset.id AS dataset_id, dataset.title AS dataset_title,
       organization.key AS organization
  FROM taken
  JOIN asset ON asset.id = taken.asset_id
  LEFT JOIN priority ON priority.asset_id = asset.id
  LEFT JOIN LATERAL (SELECT resource.dataset_id FROM asset_resource JOIN resource ON resource.id = asset_resource.resource_id
                      WHERE asset_resource.asset_id = asset.id ORDER BY resource.id LIMIT 1) AS first ON true
  LEFT JOIN dataset ON dataset.id = first.dataset_id
  LEFT JOIN organization ON organization.id = dataset.organization_id
 ORDER BY priority DESC, asset.id;
