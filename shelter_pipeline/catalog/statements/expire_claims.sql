-- A lease that ran out ends its claim, and counts as a failure of the file: what kills every worker is given up. A node
-- that vanishes kills nothing: its claim counts if it had said that it was at work on it, once for each file and the
-- nodes of its network together, and never where it was only to copy what we hold. Claims and files are locked in order; who else is at them is not
-- waited for, and their claims are for the next time.
WITH over AS MATERIALIZED (
    SELECT token
      FROM claim
     WHERE state = 'held'
       AND lease_until <= now()
     ORDER BY token
       FOR UPDATE SKIP LOCKED
), expired AS (
    UPDATE claim
       SET state = 'expired', ended_at = now()
      FROM over
     WHERE claim.token = over.token
    RETURNING claim.asset_id, claim.token, claim.node_id, claim.purpose, claim.holder, claim.begun_at
), counting AS MATERIALIZED (
    SELECT expired.asset_id, count(DISTINCT coalesce(encode(node.network, 'hex'), 'node ' || expired.node_id,
                                                     'run ' || expired.token)) AS failures
      FROM expired
      LEFT JOIN node ON node.id = expired.node_id
     WHERE expired.purpose = 'fetch'
       AND (expired.node_id IS NULL
            OR (expired.begun_at IS NOT NULL
                AND NOT EXISTS (SELECT FROM claim AS earlier
                                  JOIN node AS other ON other.id = earlier.node_id
                                 WHERE earlier.asset_id = expired.asset_id
                                   AND (other.id = node.id OR other.network = node.network)
                                   AND earlier.state = 'expired' AND earlier.begun_at IS NOT NULL)))
     GROUP BY expired.asset_id
), locked AS MATERIALIZED (
    SELECT asset.id, counting.failures
      FROM asset
      JOIN counting ON counting.asset_id = asset.id
     ORDER BY asset.id
       FOR UPDATE OF asset
), counted AS (
    UPDATE asset
       SET attempts = asset.attempts + locked.failures,
           state = CASE WHEN asset.state = 'pending' AND asset.attempts + locked.failures >= :max_attempts
                        THEN 'dead' ELSE asset.state END,
           reason = CASE WHEN asset.state = 'pending' AND asset.attempts + locked.failures >= :max_attempts
                         THEN coalesce(asset.reason, 'interrupted') ELSE asset.reason END
      FROM locked
     WHERE asset.id = locked.id
)
SELECT asset_id, token, node_id, holder FROM expired;
