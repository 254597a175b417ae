-- One report's counts, as just made, with what making them took.
INSERT INTO summary (name, body, seconds)
VALUES (:name, CAST(:body AS jsonb), :seconds)
    ON CONFLICT (name) DO UPDATE SET body = excluded.body, seconds = excluded.seconds, counted_at = excluded.counted_at;
