-- Copies of ours that cannot be read as they should be; what hangs on them is fetched again, without a condition.
WITH broken AS (
    UPDATE copy SET state = :state
      FROM store
     WHERE copy.sha256 = ANY (:digests) AND copy.store_id = store.id AND store.name = :store AND copy.state = 'good'
    RETURNING copy.sha256
)
UPDATE asset
   SET next_attempt_at = now(), etag = NULL, last_modified = NULL
  FROM broken
 WHERE asset.sha256 = broken.sha256;
