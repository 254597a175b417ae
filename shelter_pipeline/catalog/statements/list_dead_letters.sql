-- Files that were given up, the latest first; a page begins after the moment and the file that the one before ended with.
SELECT dead.asset_id, dead.url, dead.host, dead.reason, dead.attempts, dead.holders, dead.died_at, dead.revived
  FROM (SELECT asset.id AS asset_id, asset.url, asset.host, asset.reason, asset.attempts,
               (SELECT array_agg(DISTINCT claim.holder ORDER BY claim.holder) FROM claim
                 WHERE claim.asset_id = asset.id AND claim.state = 'expired') AS holders,
               coalesce((SELECT max(claim.ended_at) FROM claim WHERE claim.asset_id = asset.id), asset.found_at)
                   AS died_at,
               (SELECT count(*) FROM revival WHERE revival.asset_id = asset.id) AS revived
          FROM asset
         WHERE asset.state = 'dead') AS dead
 WHERE CAST(:when AS timestamptz) IS NULL
    OR (dead.died_at, dead.asset_id) < (CAST(:when AS timestamptz), CAST(:asset_id AS bigint))
 ORDER BY dead.died_at DESC, dead.asset_id DESC
 LIMIT :limit;
