-- What a word changed stands again as it did before, and is due at once; where a later capture or another word has
-- changed it since, that stands. Returns the captures that record it.
WITH undone AS (
    SELECT overruled_asset.*
      FROM overruled_asset
      JOIN asset ON asset.id = overruled_asset.asset_id
     WHERE overruled_asset.overrule_id = :overrule_id
       AND asset.sha256 IS NOT DISTINCT FROM overruled_asset.after_sha256
     ORDER BY asset.id
       FOR UPDATE OF asset
), changed AS (
    UPDATE asset
       SET state = CASE WHEN undone.before_sha256 IS NULL THEN 'failed' ELSE 'held' END,
           reason = undone.before_reason, attempts = 0, etag = NULL, last_modified = NULL,
           sha256 = undone.before_sha256, size = undone.before_size, next_attempt_at = now()
      FROM undone
     WHERE asset.id = undone.asset_id
)
INSERT INTO capture (asset_id, batch_id, verdict, reason, detail, final_url, status, heads, flags, sha256, size)
SELECT judged.asset_id, judged.batch_id, judged.verdict, judged.reason, :detail, judged.final_url, judged.status,
       judged.heads, array_append(judged.flags, 'revoked'), judged.sha256, judged.size
  FROM undone
  JOIN capture AS judged ON judged.id = undone.capture_id
RETURNING id;
