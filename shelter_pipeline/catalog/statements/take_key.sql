-- The first request with a key has it. One that has been at work for longer than the patience, or is past the
-- memory's end, gives it up; `fence` tells the two apart when the first one ends after all. No row: somebody has it.
INSERT INTO idempotency AS kept (principal, key, request_hash) VALUES (:principal, :key, :request_hash)
    ON CONFLICT (principal, key) DO UPDATE
       SET request_hash = EXCLUDED.request_hash, status = NULL, answer = NULL, made_at = clock_timestamp()
     WHERE kept.made_at < now() - make_interval(secs => :memory_seconds)
        OR (kept.status IS NULL
            AND kept.request_hash = EXCLUDED.request_hash
            AND kept.made_at < now() - make_interval(secs => :patience_seconds))
RETURNING made_at AS fence;
