-- End a claim. Affects one row if the caller still owns it, none if it does not: the token names one claim,
-- and a claim that was given to somebody else is never 'held' under the old token again.
UPDATE claim
   SET state = 'settled', outcome = :outcome, ended_at = now()
 WHERE token = :token
   AND state = 'held'
   AND lease_until > now();
