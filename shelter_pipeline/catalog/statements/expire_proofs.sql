-- Proofs of one kind that did not come in time.
UPDATE proof
   SET state = 'expired', answered_at = now(), detail = 'it did not come in time'
 WHERE id IN (SELECT id FROM proof
               WHERE state = 'open' AND kind = :kind AND deadline <= now()
               ORDER BY deadline
               LIMIT :limit
                 FOR UPDATE SKIP LOCKED)
RETURNING id, node_id, asset_id, sha256;
