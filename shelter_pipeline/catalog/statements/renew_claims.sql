-- A lease that has run out is not renewed, even if nobody has taken the asset yet: its holder must stop. Claims are
-- found and locked by their tokens, in order, as when they are settled.
WITH known AS MATERIALIZED (
    SELECT token, state = 'held' AND lease_until > now() AS is_owned
      FROM claim
     WHERE token = ANY (:tokens)
     ORDER BY token
       FOR UPDATE
)
UPDATE claim
   SET lease_until = now() + make_interval(secs => :lease_seconds)
  FROM known
 WHERE claim.token = known.token
   AND known.is_owned
RETURNING claim.token;
