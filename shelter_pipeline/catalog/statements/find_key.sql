-- What became of the request that had this key first.
SELECT request_hash, status, answer
  FROM idempotency
 WHERE principal = :principal
   AND key = :key;
