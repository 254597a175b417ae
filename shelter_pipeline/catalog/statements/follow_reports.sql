-- What files become after a node's word. What we hold stays held, and keeps its reason: one node's word is no more than
-- a cause to look again.
UPDATE asset
   SET state = CASE WHEN asset.sha256 IS NOT NULL THEN 'held' ELSE given.state END,
       reason = CASE WHEN asset.sha256 IS NOT NULL THEN asset.reason ELSE given.reason END,
       attempts = given.attempts,
       next_attempt_at = now() + make_interval(secs => given.rest_seconds)
  FROM jsonb_to_recordset(CAST(:rows AS jsonb))
       AS given (asset_id bigint, state text, reason text, attempts integer, rest_seconds double precision)
 WHERE asset.id = given.asset_id;
