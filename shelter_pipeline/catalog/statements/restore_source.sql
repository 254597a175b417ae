-- A publisher's own record that a store holds; what is known of it already stays. Affects one row if it is new.
INSERT INTO source_record (dataset_id, record_hash, url, reason, sha256, media_type, asked_at)
SELECT dataset.id, :record_hash, :url, 'stored', blob.sha256, :media_type, :asked_at
  FROM dataset
  JOIN portal ON portal.id = dataset.portal_id AND portal.url = :portal
  JOIN blob ON blob.sha256 = :sha256
 WHERE dataset.identifier = :identifier
   AND EXISTS (SELECT FROM copy WHERE copy.sha256 = blob.sha256 AND copy.state = 'good')
 ORDER BY dataset.id
 LIMIT 1
    ON CONFLICT (dataset_id, record_hash) DO NOTHING;
