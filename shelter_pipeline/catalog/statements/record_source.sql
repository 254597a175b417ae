-- What came of asking for a publisher's own record; the blob is known before. A failure never hides bytes that another
-- run has kept meanwhile.
INSERT INTO source_record (dataset_id, record_hash, url, reason, sha256, media_type, asked_at)
VALUES (:dataset_id, :record_hash, :url, :reason, :sha256, :media_type, :asked_at)
    ON CONFLICT (dataset_id, record_hash) DO UPDATE
   SET url = excluded.url, reason = excluded.reason, sha256 = excluded.sha256, media_type = excluded.media_type,
       asked_at = excluded.asked_at
 WHERE source_record.reason <> 'stored' OR excluded.reason = 'stored';
