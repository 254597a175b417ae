-- The ledger decides how a run of a batch ended. A live claim means that somebody is still at work on it.
WITH tally AS (
    SELECT count(*) FILTER (WHERE asset.state = 'pending') AS leftover,
           count(*) FILTER (WHERE EXISTS (SELECT FROM claim
                                               WHERE claim.asset_id = asset.id AND claim.node_id IS NULL
                                                 AND claim.state = 'held' AND claim.lease_until > now())) AS claimed,
           min(asset.next_attempt_at) FILTER (WHERE asset.state = 'pending') AS due
      FROM asset
     WHERE asset.batch_id = :batch_id
), closed AS (
    UPDATE batch
       SET state = CASE WHEN tally.leftover = 0 THEN 'done'
                        WHEN batch.attempt >= :max_attempts THEN 'failed'
                        ELSE 'planned' END,
           attempt = CASE WHEN tally.leftover > 0 AND batch.attempt < :max_attempts
                          THEN batch.attempt + 1 ELSE batch.attempt END,
           not_before = greatest(coalesce(tally.due, batch.not_before),
                                now() + make_interval(secs => :rest_seconds)),
           manifest = coalesce(:manifest, batch.manifest),
           finished_at = now()
      FROM tally
     WHERE batch.id = :batch_id
       AND tally.claimed = 0
    RETURNING batch.state, batch.attempt, batch.not_before
)
SELECT coalesce(closed.state, 'running') AS state, leftover, claimed, closed.attempt, closed.not_before
  FROM tally
  LEFT JOIN closed ON true;
