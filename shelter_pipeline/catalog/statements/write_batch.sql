-- A batch exists only with assets, and an asset is in at most one batch that is still to run: `lock_assets` came
-- before, so nobody else changes them until this transaction ends.
WITH members AS (
    SELECT asset.id
      FROM asset
      LEFT JOIN batch ON batch.id = asset.batch_id
     WHERE asset.id = ANY (:asset_ids)
       AND (batch.id IS NULL OR batch.state IN ('done', 'failed'))
), numbered AS (
    SELECT coalesce(max(number), 0) + 1 AS number FROM batch WHERE organization_id = :organization_id
), written AS (
    INSERT INTO batch (key, organization_id, host, number, urgent, score, files, bytes)
    SELECT CAST(:prefix AS text) || numbered.number, :organization_id, :host, numbered.number, :urgent, :score,
           (SELECT count(*) FROM members), :bytes
      FROM numbered
     WHERE EXISTS (SELECT FROM members)
    RETURNING id, key
), taken AS (
    UPDATE asset SET batch_id = written.id FROM written, members WHERE asset.id = members.id
)
SELECT key FROM written;
