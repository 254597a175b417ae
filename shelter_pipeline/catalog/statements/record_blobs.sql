-- The bytes are durable in the store before these rows say so; saying it again only renews the date. Rows are
-- written in the order of their hashes, so that two who record the same blobs wait for one another and never in a
-- circle. The store is known before. Returns how many of the blobs have a copy row now.
WITH given AS (
    SELECT DISTINCT ON (sha256) sha256, size, media_type
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (sha256 text, size bigint, media_type text, held boolean)
     WHERE held
     ORDER BY sha256
), known_blob AS (
    INSERT INTO blob (sha256, size, media_type)
    SELECT sha256, size, media_type FROM given ORDER BY sha256
        -- Whoever has hashed the bytes knows how many they are; nodes may have agreed on another number.
        ON CONFLICT (sha256) DO UPDATE SET size = excluded.size WHERE blob.size <> excluded.size
), known_copy AS (
    INSERT INTO copy (sha256, store_id)
    SELECT given.sha256, store.id FROM given JOIN store ON store.name = :store ORDER BY given.sha256
        ON CONFLICT (sha256, store_id, node_id) DO UPDATE SET state = 'good', verified_at = now()
    RETURNING 1
)
SELECT (SELECT count(*) FROM known_copy) AS copies, (SELECT count(*) FROM given) AS blobs;
