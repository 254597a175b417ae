-- A node's own claims among these get a fresh lease, those it says it has begun are noted as begun. One that has run
-- out is not renewed, another's is not touched, and neither is one that has lasted for as long as a file of its size may
-- take: heartbeats alone keep nothing for ever. Claims are locked by their tokens, in order.
WITH known AS MATERIALIZED (
    SELECT claim.token,
           claim.state = 'held' AND claim.lease_until > now() AND claim.node_id = :node_id
           AND coalesce(claim.begun_at, claim.claimed_at)
               + make_interval(secs => CAST(:longest_seconds AS float8)
                               + (SELECT coalesce(asset.size, asset.expected_size, asset.estimated_size, 0)
                                    FROM asset WHERE asset.id = claim.asset_id)
                                 / CAST(:bytes_per_second AS float8)) > now() AS is_owned
      FROM claim
     WHERE claim.token = ANY (CAST(:tokens AS bigint[]))
     ORDER BY claim.token
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
