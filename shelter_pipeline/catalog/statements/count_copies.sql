-- How many of these blobs are known to be in the store already.
SELECT count(*)
  FROM copy
  JOIN store ON store.id = copy.store_id AND store.name = :store
 WHERE copy.sha256 = ANY (:digests);
