-- A lease that ran out ends its claim, and counts as a failure of the asset: what kills every worker is given up.
WITH expired AS (
    UPDATE claim
       SET state = 'expired', ended_at = now()
     WHERE state = 'held'
       AND lease_until <= now()
    RETURNING asset_id, token
), counted AS (
    UPDATE asset
       SET attempts = asset.attempts + 1,
           state = CASE WHEN asset.state = 'pending' AND asset.attempts + 1 >= :max_attempts
                        THEN 'dead' ELSE asset.state END,
           reason = CASE WHEN asset.state = 'pending' AND asset.attempts + 1 >= :max_attempts
                         THEN coalesce(asset.reason, 'interrupted') ELSE asset.reason END
      FROM expired
     WHERE asset.id = expired.asset_id
)
SELECT asset_id, token FROM expired;
