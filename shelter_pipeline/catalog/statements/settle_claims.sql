-- End claims. Only those that the caller still owns are ended, and their tokens returned: a token names one claim,
-- and a claim that was given to somebody else is never 'held' under the old token again.
UPDATE claim
   SET state = 'settled', outcome = given.reason, ended_at = now()
  FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (token bigint, reason text)
 WHERE claim.token = given.token
   AND claim.state = 'held'
   AND claim.lease_until > now()
RETURNING claim.token;
