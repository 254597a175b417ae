-- What one of our stores holds, as far as the catalog knows.
SELECT copy.sha256
  FROM copy JOIN store ON store.id = copy.store_id
 WHERE store.name = :store AND copy.state = 'good';
