-- The answer joins its key, once, and only by the request that still has the key.
UPDATE idempotency
   SET status = :status, answer = :answer
 WHERE principal = :principal
   AND key = :key
   AND made_at = :fence
   AND status IS NULL;
