-- Keys past the memory's end go, so many at once and the oldest first; rows that somebody has locked wait.
DELETE FROM idempotency
 WHERE (principal, key) IN (SELECT principal, key
                              FROM idempotency
                             WHERE made_at < now() - make_interval(secs => :memory_seconds)
                             ORDER BY made_at
                             LIMIT :limit
                               FOR UPDATE SKIP LOCKED);
