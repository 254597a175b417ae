-- A word ends, once. Affects one row, or none if there is no such word or it was revoked before.
UPDATE overrule
   SET revoked_at = now(), revoked_by = :who
 WHERE id = :overrule_id
   AND revoked_at IS NULL;
