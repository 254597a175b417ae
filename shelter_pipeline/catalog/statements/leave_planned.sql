-- What a node took leaves the batch it was planned in, whose counts stay true. Batches are locked in one order. A
-- batch that began meanwhile finds the file claimed.
WITH leaving AS MATERIALIZED (
    SELECT asset.id, asset.batch_id, coalesce(asset.size, asset.expected_size, asset.estimated_size, 0) AS bytes
      FROM asset
     WHERE asset.id = ANY (CAST(:asset_ids AS bigint[]))
       AND asset.batch_id IS NOT NULL
), locked AS MATERIALIZED (
    SELECT batch.id
      FROM batch
     WHERE batch.id IN (SELECT batch_id FROM leaving)
       AND batch.state = 'planned'
     ORDER BY batch.id
       FOR UPDATE
), left_batch AS (
    UPDATE asset SET batch_id = NULL
      FROM leaving JOIN locked ON locked.id = leaving.batch_id
     WHERE asset.id = leaving.id
    RETURNING leaving.batch_id, leaving.bytes
)
UPDATE batch
   SET files = greatest(batch.files - gone.files, 0), bytes = greatest(batch.bytes - gone.bytes, 0)
  FROM (SELECT batch_id, count(*) AS files, sum(bytes) AS bytes FROM left_batch GROUP BY batch_id) AS gone
 WHERE batch.id = gone.batch_id;
