-- The bytes are durable in the store before this row says so; saying it again only renews the date. No row is
-- shared by two settles of different files, so that they never wait for one another. The store is known before.
WITH known_blob AS (
    INSERT INTO blob (sha256, size, media_type) VALUES (:sha256, :size, :media_type)
        ON CONFLICT (sha256) DO NOTHING
)
INSERT INTO copy (sha256, store_id)
SELECT :sha256, id FROM store WHERE name = :store
    ON CONFLICT (sha256, store_id, node_id) DO UPDATE SET state = 'good', verified_at = now();
