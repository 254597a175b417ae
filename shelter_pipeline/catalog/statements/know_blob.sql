-- A blob of which no store of ours has the bytes; what is known of it stays.
INSERT INTO blob (sha256, size, media_type) VALUES (:sha256, :size, :media_type) ON CONFLICT (sha256) DO NOTHING;
