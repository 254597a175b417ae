-- A publisher's own record that a store holds; what is known of it already stays.
INSERT INTO source_record (dataset_id, record_hash, url, reason, sha256, media_type, asked_at)
SELECT :dataset_id, :record_hash, :url, 'stored', blob.sha256, :media_type, :asked_at
  FROM blob
 WHERE blob.sha256 = :sha256
   AND EXISTS (SELECT FROM copy WHERE copy.sha256 = blob.sha256 AND copy.state = 'good')
    ON CONFLICT (dataset_id, record_hash) DO NOTHING;
