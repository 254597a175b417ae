-- Words on what comes first, newest first, and whether they stand; `asset_id` null: of all targets.
SELECT override.id, override.action, override.amount,
       coalesce(asset.url, 'dataset ' || dataset.slug, 'organization ' || organization.key, 'host ' || override.host)
           AS target,
       override.who, override.why, override.made_at, override.until, override.revoked_at, override.revoked_by,
       override.revoked_at IS NULL AND (override.until IS NULL OR override.until > now()) AS stands
  FROM override
  LEFT JOIN asset ON asset.id = override.asset_id
  LEFT JOIN dataset ON dataset.id = override.dataset_id
  LEFT JOIN organization ON organization.id = override.organization_id
 WHERE (CAST(:standing AS boolean) = false
        OR (override.revoked_at IS NULL AND (override.until IS NULL OR override.until > now())))
   AND (CAST(:asset_id AS bigint) IS NULL
        OR override.asset_id = :asset_id
        OR override.host = (SELECT host FROM asset AS wanted WHERE wanted.id = :asset_id)
        OR EXISTS (SELECT FROM asset_resource
                     JOIN resource ON resource.id = asset_resource.resource_id
                     JOIN dataset AS owner ON owner.id = resource.dataset_id
                    WHERE asset_resource.asset_id = :asset_id
                      AND (owner.id = override.dataset_id OR owner.organization_id = override.organization_id)))
 ORDER BY override.id DESC
 LIMIT :limit;
