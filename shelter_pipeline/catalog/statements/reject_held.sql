-- What an asset holds is not the file: it holds the good version before it again, or nothing, and says so. The blob
-- stays. Returns the capture that records the word; none if the asset holds nothing.
WITH before AS (
    SELECT id, sha256, size, reason FROM asset WHERE id = :asset_id AND sha256 IS NOT NULL FOR UPDATE
), judged AS (
    SELECT capture.*
      FROM before
      JOIN capture ON capture.asset_id = before.id AND capture.sha256 = before.sha256
     WHERE capture.verdict IN ('stored', 'unchanged')
     ORDER BY capture.id DESC
     LIMIT 1
), earlier AS (
    SELECT blob.sha256, blob.size
      FROM before
      JOIN capture ON capture.asset_id = before.id AND capture.verdict = 'stored' AND NOT capture.late
      JOIN blob ON blob.sha256 = capture.sha256
     WHERE capture.sha256 <> before.sha256
       AND NOT EXISTS (SELECT FROM overruled_asset
                         JOIN overrule ON overrule.id = overruled_asset.overrule_id
                        WHERE overruled_asset.asset_id = before.id
                          AND overruled_asset.sha256 = capture.sha256
                          AND (overrule.action = 'accept') = (overrule.revoked_at IS NOT NULL))
     ORDER BY capture.id DESC
     LIMIT 1
), noted AS (
    INSERT INTO overruled_asset (overrule_id, asset_id, capture_id, sha256, after_sha256,
                                 before_sha256, before_size, before_reason)
    SELECT :overrule_id, before.id, judged.id, before.sha256, (SELECT sha256 FROM earlier),
           before.sha256, before.size, before.reason
      FROM before CROSS JOIN judged
), changed AS (
    UPDATE asset
       SET state = CASE WHEN EXISTS (SELECT FROM earlier) THEN 'held' ELSE 'failed' END,
           reason = 'rejected', attempts = 0, etag = NULL, last_modified = NULL,
           sha256 = (SELECT sha256 FROM earlier), size = (SELECT size FROM earlier),
           next_attempt_at = now() + make_interval(secs => :rest_seconds)
      FROM before CROSS JOIN judged
     WHERE asset.id = before.id
)
INSERT INTO capture (asset_id, batch_id, verdict, reason, detail, final_url, status, heads, flags, sha256, size)
SELECT judged.asset_id, judged.batch_id, 'suspect', 'rejected', :detail, judged.final_url, judged.status,
       judged.heads, judged.flags, judged.sha256, judged.size
  FROM judged
RETURNING id;
