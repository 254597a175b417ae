-- What people have said of one file against the rules, newest first, and whether it stands.
SELECT overrule.action, overrule.reason, overrule.who, overrule.why, overrule.made_at, overrule.revoked_at,
       overrule.revoked_by, overruled_asset.sha256
  FROM overruled_asset
  JOIN overrule ON overrule.id = overruled_asset.overrule_id
 WHERE overruled_asset.asset_id = :asset_id
 ORDER BY overrule.id DESC
 LIMIT :limit;
