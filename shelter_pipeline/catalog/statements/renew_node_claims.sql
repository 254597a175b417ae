-- A node's own claims among these get a fresh lease, those it says it has begun are noted as begun. One that has run
-- out is not renewed, and another's is not touched. Claims are locked by their tokens, in order.
WITH known AS MATERIALIZED (
    SELECT token, state = 'held' AND lease_until > now() AND node_id = :node_id AS is_owned
      FROM claim
     WHERE token = ANY (CAST(:tokens AS bigint[]))
     ORDER BY token
       FOR UPDATE
)
UPDATE claim
   SET lease_until = now() + make_interval(secs => :lease_seconds),
       begun_at = CASE WHEN claim.token = ANY (CAST(:begun AS bigint[])) THEN coalesce(claim.begun_at, now())
                       ELSE claim.begun_at END
  FROM known
 WHERE claim.token = known.token
   AND known.is_owned
RETURNING claim.token;
