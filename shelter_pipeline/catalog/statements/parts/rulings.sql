-- What people decided of an `asset`: reasons that are to be accepted for it, and hashes that are to be rejected.
       ARRAY(SELECT DISTINCT overrule.reason
               FROM overrule
              WHERE overrule.action = 'accept'
                AND overrule.revoked_at IS NULL
                AND (overrule.asset_id = asset.id
                     OR EXISTS (SELECT FROM asset_resource
                                  JOIN resource ON resource.id = asset_resource.resource_id
                                  JOIN dataset ON dataset.id = resource.dataset_id
                                 WHERE asset_resource.asset_id = asset.id
                                   AND (dataset.id = overrule.dataset_id
                                        OR dataset.organization_id = overrule.organization_id)))) AS accepted,
       ARRAY(SELECT DISTINCT overruled_asset.sha256
               FROM overruled_asset
               JOIN overrule ON overrule.id = overruled_asset.overrule_id
              WHERE overruled_asset.asset_id = asset.id
                AND overrule.action = 'reject'
                AND overrule.revoked_at IS NULL) AS rejected
