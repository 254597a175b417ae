-- A request that did nothing gives its key back, if it still has it.
DELETE FROM idempotency
 WHERE principal = :principal
   AND key = :key
   AND made_at = :fence
   AND status IS NULL;
