-- The files of which a node reported these bytes and which wait for their proof, with what was promised of them and what
-- the node says of the reply. Files whose state has moved on since are not among them.
SELECT DISTINCT ON (asset.id) asset.id AS asset_id, asset.url, asset.format, asset.media_type, asset.checksum,
       asset.expected_size, asset.size AS held_size, asset.attempts, capture.flags, capture.started_at AS began_at,
       -- include rulings
  FROM capture
  JOIN asset ON asset.id = capture.asset_id
 WHERE capture.node_id = :node_id
   AND capture.sha256 = :sha256
   AND capture.reason = 'unproved'
   AND NOT capture.late
   AND NOT EXISTS (SELECT FROM capture AS later
                    WHERE later.asset_id = capture.asset_id AND later.id > capture.id AND NOT later.late
                      AND later.node_id IS NOT DISTINCT FROM capture.node_id)
 ORDER BY asset.id, capture.id DESC;
