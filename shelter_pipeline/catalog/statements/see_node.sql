-- The node was heard of. What it did not say stays; a row that would only be seconds newer is not written.
UPDATE node
   SET last_seen_at = now(),
       version = coalesce(CAST(:version AS text), version),
       free_bytes = coalesce(CAST(:free_bytes AS bigint), free_bytes),
       bandwidth_mbps = coalesce(CAST(:bandwidth_mbps AS float), bandwidth_mbps),
       uptime_hours = coalesce(CAST(:uptime_hours AS float), uptime_hours),
       signed_off_at = CASE WHEN :returns THEN NULL ELSE signed_off_at END
 WHERE id = :node_id
   AND (last_seen_at IS NULL
        OR last_seen_at < now() - make_interval(secs => :every_seconds)
        OR version IS DISTINCT FROM coalesce(CAST(:version AS text), version)
        OR free_bytes IS DISTINCT FROM coalesce(CAST(:free_bytes AS bigint), free_bytes)
        OR bandwidth_mbps IS DISTINCT FROM coalesce(CAST(:bandwidth_mbps AS float), bandwidth_mbps)
        OR uptime_hours IS DISTINCT FROM coalesce(CAST(:uptime_hours AS float), uptime_hours)
        OR (:returns AND signed_off_at IS NOT NULL));
