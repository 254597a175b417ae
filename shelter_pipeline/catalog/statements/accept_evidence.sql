-- Bytes that were kept apart are held from now on, if no good capture has come since they were looked at. What stood
-- before is noted, and the word is a capture of its own: captures are only ever added. Returns that capture.
WITH before AS (
    SELECT asset.id, asset.sha256, asset.size, asset.reason
      FROM asset
     WHERE asset.id = :asset_id
       AND NOT EXISTS (SELECT FROM capture
                        WHERE capture.asset_id = asset.id AND capture.id > :capture_id AND NOT capture.late
                          AND capture.verdict IN ('stored', 'unchanged'))
       FOR UPDATE
), noted AS (
    INSERT INTO overruled_asset (overrule_id, asset_id, capture_id, sha256, after_sha256,
                                 before_sha256, before_size, before_reason)
    SELECT :overrule_id, id, :capture_id, :sha256, :sha256, sha256, size, reason FROM before
), changed AS (
    UPDATE asset
       SET state = 'held', reason = 'stored', attempts = 0, sha256 = :sha256, size = :size,
           etag = NULL, last_modified = NULL,  -- those of an earlier version would be a false witness
           next_attempt_at = now() + make_interval(secs => :rest_seconds)
      FROM before
     WHERE asset.id = before.id
)
INSERT INTO capture (asset_id, batch_id, verdict, reason, detail, final_url, status, heads, flags, sha256, size)
SELECT before.id, judged.batch_id, 'stored', 'stored', :detail, judged.final_url, judged.status, judged.heads,
       array_append(judged.flags, 'overruled'), :sha256, :size
  FROM before
  JOIN capture AS judged ON judged.id = :capture_id
RETURNING id;
