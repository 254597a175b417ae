-- What follows for the assets: they have been probed; a size that was seen is an estimate, and never a promise; a file
-- that we hold and that is another one upstream, or gone, is due at once, so that a download gives the verdict. What
-- is due already, and every state, stays as it is.
UPDATE asset
   SET probed = true,
       estimated_size = CASE WHEN staged_probe.reason = :ok THEN coalesce(staged_probe.size, asset.estimated_size)
                             ELSE asset.estimated_size END,
       next_attempt_at = CASE WHEN asset.state = 'held' AND staged_probe.alarm IS NOT NULL
                              THEN now() ELSE asset.next_attempt_at END
  FROM staged_probe
 WHERE asset.id = staged_probe.asset_id
   AND (NOT asset.probed
        OR (staged_probe.reason = :ok AND staged_probe.size IS DISTINCT FROM asset.estimated_size
            AND staged_probe.size IS NOT NULL)
        OR (asset.state = 'held' AND staged_probe.alarm IS NOT NULL
            AND coalesce(asset.next_attempt_at, 'infinity') > now()));
