-- Every word of an operator, newest first, with how many files it changed.
SELECT overrule.id, overrule.action, overrule.reason,
       coalesce(asset.url, 'dataset ' || dataset.identifier, 'organization ' || organization.key) AS scope,
       (SELECT count(*) FROM overruled_asset WHERE overruled_asset.overrule_id = overrule.id) AS files,
       overrule.who, overrule.why, overrule.made_at, overrule.revoked_at, overrule.revoked_by
  FROM overrule
  LEFT JOIN asset ON asset.id = overrule.asset_id
  LEFT JOIN dataset ON dataset.id = overrule.dataset_id
  LEFT JOIN organization ON organization.id = overrule.organization_id
 ORDER BY overrule.id DESC;
