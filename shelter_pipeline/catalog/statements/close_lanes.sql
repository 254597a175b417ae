-- Lanes to hosts that have no room or rest are closed for some seconds, so that nobody looks at each of them in vain;
-- a node that has a place at the host gets through all the same. Lanes that somebody is being served from stay open.
UPDATE lane
   SET closed_until = now() + interval '10 seconds'
 WHERE id IN (SELECT full_lane.id
                FROM lane AS full_lane
                JOIN host ON host.name = full_lane.host
               WHERE full_lane.waiting
                 AND coalesce(full_lane.closed_until < now() + interval '4 seconds', true)
                 AND (host.rest_until > now()
                      OR (SELECT count(*) FROM host_slot
                           WHERE host_slot.host = host.name AND host_slot.lease_until > clock_timestamp())
                         >= least(host.learned_connections, coalesce(host.connections, :connections)))
               ORDER BY full_lane.id
                 FOR UPDATE OF full_lane SKIP LOCKED);
