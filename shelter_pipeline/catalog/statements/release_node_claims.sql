-- A node gives back its own live claims: those of these files, or all; with a token only that one. Locked in order.
WITH mine AS MATERIALIZED (
    SELECT token
      FROM claim
     WHERE node_id = :node_id
       AND state = 'held'
       AND (CAST(:asset_ids AS bigint[]) IS NULL OR asset_id = ANY (CAST(:asset_ids AS bigint[])))
       AND (CAST(:token AS bigint) IS NULL OR token = :token)
     ORDER BY token
       FOR UPDATE
)
UPDATE claim
   SET state = 'released', ended_at = now()
  FROM mine
 WHERE claim.token = mine.token
RETURNING claim.asset_id;
