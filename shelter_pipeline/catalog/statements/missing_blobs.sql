-- Of the blobs that captures tell of, those that this store has no good copy of.
SELECT DISTINCT told.sha256
  FROM restored_capture AS told
 WHERE told.verdict IN ('stored', 'unchanged')
   AND told.sha256 IS NOT NULL
   AND NOT EXISTS (SELECT FROM copy
                     JOIN store ON store.id = copy.store_id
                    WHERE copy.sha256 = told.sha256 AND copy.state = 'good' AND store.name = :store);
