-- A word on what comes first ends, once, and stays in the history. One row, or none if it does not stand any more.
UPDATE override
   SET revoked_at = now(), revoked_by = :who
 WHERE id = :override_id
   AND revoked_at IS NULL
RETURNING organization_id, dataset_id, asset_id, host;
