-- Blobs that a store was found to hold: known from now on. What is known of a blob already stays.
INSERT INTO blob (sha256, size)
SELECT sha256, size
  FROM unnest(CAST(:digests AS text[]), CAST(:sizes AS bigint[])) AS found (sha256, size)
    ON CONFLICT (sha256) DO NOTHING;
