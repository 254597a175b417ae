-- Files that rest for the proof of one node's word, which will not come: somebody else may have them at once.
UPDATE asset
   SET next_attempt_at = now()
 WHERE id = ANY (:asset_ids)
   AND next_attempt_at > now()
   AND EXISTS (SELECT FROM capture
                WHERE capture.asset_id = asset.id AND capture.node_id = :node_id AND capture.reason = 'unproved'
                  AND NOT EXISTS (SELECT FROM capture AS later
                                   WHERE later.asset_id = capture.asset_id AND later.id > capture.id AND NOT later.late));
