-- Files that nodes brought and this store holds, and that no manifest tells of yet.
SELECT testimony.id, testimony.asset_id, testimony.capture_id
  FROM testimony
 WHERE testimony.manifest IS NULL
   AND EXISTS (SELECT FROM copy
                 JOIN store ON store.id = copy.store_id AND store.name = :store
                WHERE copy.sha256 = testimony.sha256 AND copy.state = 'good')
 ORDER BY testimony.id
 LIMIT :limit;
