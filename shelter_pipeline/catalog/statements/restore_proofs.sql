-- When a copy was stored and its bytes were last hashed, by the captures that brought them; and their media type.
WITH told AS (
    SELECT sha256, min(finished_at) AS stored_at, max(finished_at) FILTER (WHERE verdict = 'stored') AS verified_at,
           (array_agg(media_type ORDER BY finished_at) FILTER (WHERE media_type IS NOT NULL))[1] AS media_type
      FROM restored_capture
     WHERE verdict IN ('stored', 'unchanged') AND sha256 IS NOT NULL
     GROUP BY sha256
), proved AS (
    UPDATE copy
       SET stored_at = least(copy.stored_at, told.stored_at),
           verified_at = greatest(copy.verified_at, told.verified_at)
      FROM told, store
     WHERE copy.sha256 = told.sha256 AND store.name = :store AND copy.store_id = store.id
       AND (told.stored_at < copy.stored_at OR told.verified_at > copy.verified_at)
)
UPDATE blob
   SET first_stored_at = least(blob.first_stored_at, told.stored_at),
       media_type = coalesce(blob.media_type, told.media_type)
  FROM told
 WHERE blob.sha256 = told.sha256
   AND (told.stored_at < blob.first_stored_at OR (blob.media_type IS NULL AND told.media_type IS NOT NULL));
