-- A token was used; written at most once a minute, so that a busy token is not a busy row.
UPDATE api_token
   SET last_used_at = now()
 WHERE id = :id
   AND (last_used_at IS NULL OR last_used_at <= now() - interval '1 minute');
