-- One allocation of a node at a time: its row stays locked until this one ends, so that its cap is counted true. A
-- blocked node is given nothing, and neither is one that gave back, or let run out, ten times as many files as it may have
-- within the hour: it only takes turns from others. What it says of itself is kept. For the rest of the transaction statements are planned
-- once and for all, and by indexes: to plan them each time costs more than to run them, and whatever the statistics
-- say of a queue that changes all the time, no table is to be read whole.
UPDATE node
   SET last_seen_at = now(), signed_off_at = NULL, free_bytes = :free_bytes,
       bandwidth_mbps = coalesce(CAST(:bandwidth_mbps AS float8), bandwidth_mbps),
       uptime_hours = coalesce(CAST(:uptime_hours AS float8), uptime_hours)
 WHERE id = :node_id
   AND NOT blocked
RETURNING (SELECT CASE WHEN (SELECT count(*) FROM (SELECT
                                                    FROM claim
                                                   WHERE claim.node_id = node.id
                                                     AND claim.state IN ('released', 'expired')
                                                     AND claim.ended_at > now() - interval '1 hour'
                                                   LIMIT 10 * may.have) AS idle) < 10 * may.have
                       THEN may.have ELSE 0 END
             FROM (SELECT coalesce(max_claims, CASE WHEN trust > 0 THEN CAST(:max_claims AS int)
                                                    ELSE CAST(:new_max_claims AS int) END) AS have) AS may) AS most,
          set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true) AS indexed,
          set_config('enable_sort', 'off', true) AS in_order;
