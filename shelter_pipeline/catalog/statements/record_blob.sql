-- The bytes are durable in the store before this row says so; saying it again only renews the date.
WITH known_blob AS (
    INSERT INTO blob (sha256, size, media_type) VALUES (:sha256, :size, :media_type)
        ON CONFLICT (sha256) DO NOTHING
), known_store AS (
    INSERT INTO store (name) VALUES (:store)
        ON CONFLICT (name) DO UPDATE SET name = excluded.name
    RETURNING id
)
INSERT INTO copy (sha256, store_id)
SELECT :sha256, id FROM known_store
    ON CONFLICT (sha256, store_id, node_id) DO UPDATE SET state = 'good', verified_at = now();
