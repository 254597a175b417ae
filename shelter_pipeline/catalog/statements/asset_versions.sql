-- Every bytes that were ever received for a file, newest first: when they were seen first and last, and whether they are
-- kept as a file (`stored`), or apart as evidence.
SELECT seen.sha256, coalesce(blob.size, seen.size) AS size, seen.first_seen_at, seen.last_seen_at, seen.captures,
       blob.sha256 IS NOT NULL AS stored,
       EXISTS (SELECT FROM overruled_asset
                 JOIN overrule ON overrule.id = overruled_asset.overrule_id
                WHERE overruled_asset.asset_id = :asset_id
                  AND overruled_asset.sha256 = seen.sha256
                  AND overrule.action = 'reject'
                  AND overrule.revoked_at IS NULL) AS rejected
  FROM (SELECT sha256, max(size) AS size, min(finished_at) AS first_seen_at, max(finished_at) AS last_seen_at,
               count(*) AS captures
          FROM capture
         WHERE asset_id = :asset_id
           AND sha256 IS NOT NULL
         GROUP BY sha256) AS seen
  LEFT JOIN blob ON blob.sha256 = seen.sha256
 ORDER BY seen.last_seen_at DESC, seen.sha256
 LIMIT :limit;
