-- The bytes of a source record were hashed when they were stored; and their media type is known from then.
WITH proved AS (
    UPDATE copy
       SET stored_at = least(copy.stored_at, CAST(:asked_at AS timestamptz)),
           verified_at = greatest(copy.verified_at, CAST(:asked_at AS timestamptz))
      FROM store
     WHERE copy.sha256 = :sha256 AND store.name = :store AND copy.store_id = store.id
)
UPDATE blob
   SET first_stored_at = least(blob.first_stored_at, CAST(:asked_at AS timestamptz)),
       media_type = coalesce(blob.media_type, :media_type)
 WHERE blob.sha256 = :sha256;
