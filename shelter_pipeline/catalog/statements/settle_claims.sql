-- End claims. Only those that the caller still owns are ended, and their tokens returned: a token names one claim,
-- and a claim that was given to somebody else is never 'held' under the old token again. Claims are found and locked
-- by their tokens, in order, before anything else is asked of them: whatever the statistics say of leases, no other
-- claim is read, and whoever locks the same claims waits and never in a circle. A run ends no claim
-- of a node.
WITH known AS MATERIALIZED (
    SELECT claim.token, claim.state = 'held' AND claim.lease_until > now()
           AND claim.node_id IS NULL AS is_owned, given.reason
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (token bigint, reason text)
      JOIN claim ON claim.token = given.token
     ORDER BY claim.token
       FOR UPDATE OF claim
)
UPDATE claim
   SET state = 'settled', outcome = known.reason, ended_at = now()
  FROM known
 WHERE claim.token = known.token
   AND known.is_owned
RETURNING claim.token;
