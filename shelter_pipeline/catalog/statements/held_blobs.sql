-- Which of these digests this store holds whole, and how large they are.
SELECT blob.sha256, blob.size
  FROM blob
  JOIN copy ON copy.sha256 = blob.sha256 AND copy.state = 'good'
  JOIN store ON store.id = copy.store_id AND store.name = :store
 WHERE blob.sha256 = ANY (:digests);
