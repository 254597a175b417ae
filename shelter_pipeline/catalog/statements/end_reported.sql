-- Claims of which a node reported the end, locked before.
UPDATE claim
   SET state = 'settled', outcome = given.reason, ended_at = now()
  FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (token bigint, reason text)
 WHERE claim.token = given.token
   AND claim.state = 'held';
