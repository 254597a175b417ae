-- A manifest says how large a blob was when it was hashed. Where the store has a file of another size under that name,
-- the file is damaged, and the blob is as large as it was.
WITH told AS (
    SELECT DISTINCT ON (sha256) sha256, size
      FROM restored_capture
     WHERE verdict IN ('stored', 'unchanged') AND sha256 IS NOT NULL AND size IS NOT NULL
     ORDER BY sha256, finished_at
), corrected AS (
    UPDATE blob SET size = told.size
      FROM told
     WHERE blob.sha256 = told.sha256 AND blob.size <> told.size
    RETURNING blob.sha256
)
UPDATE copy SET state = 'damaged'
  FROM corrected, store
 WHERE copy.sha256 = corrected.sha256 AND store.name = :store AND copy.store_id = store.id AND copy.state = 'good';
