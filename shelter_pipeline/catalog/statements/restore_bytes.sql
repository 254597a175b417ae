-- A file holds the newest good bytes that any capture of it brought, whatever order the captures were restored in. What
-- a file holds already gives way only to a later capture. Bytes that a person has taken back since do not count.
WITH newest AS (
    SELECT DISTINCT ON (asset.id) asset.id, capture.sha256, capture.size, capture.finished_at
      FROM (SELECT DISTINCT url_hash FROM restored_capture) AS touched
      JOIN asset ON asset.url_hash = touched.url_hash
      JOIN capture ON capture.asset_id = asset.id
     WHERE capture.verdict IN ('stored', 'unchanged')
       AND NOT capture.late
       AND EXISTS (SELECT FROM copy WHERE copy.sha256 = capture.sha256 AND copy.state = 'good')
       AND NOT EXISTS (SELECT FROM capture AS word
                        WHERE word.asset_id = capture.asset_id
                          AND word.sha256 = capture.sha256
                          AND word.finished_at > capture.finished_at
                          AND word.verdict NOT IN ('stored', 'unchanged')
                          AND (word.reason = 'rejected' OR 'revoked' = ANY (word.flags)))
     ORDER BY asset.id, capture.finished_at DESC
)
UPDATE asset
   SET state = 'held', sha256 = newest.sha256, size = newest.size, etag = NULL, last_modified = NULL
  FROM newest
 WHERE asset.id = newest.id
   AND asset.sha256 IS DISTINCT FROM newest.sha256
   AND NOT EXISTS (SELECT FROM capture
                    WHERE capture.asset_id = asset.id
                      AND capture.sha256 = asset.sha256
                      AND capture.verdict IN ('stored', 'unchanged')
                      AND NOT capture.late
                      AND capture.finished_at > newest.finished_at);
