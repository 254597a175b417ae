-- How a proof ended.
UPDATE proof
   SET state = :state, answered_at = coalesce(answered_at, now()), detail = :detail
 WHERE id = :proof_id;
