-- Nodes without a live claim of a file of a host have no place there any more, and lanes to the host are open again.
WITH given AS (
    DELETE FROM host_slot AS slot
     WHERE (slot.host, slot.number) IN (
       SELECT idle.host, idle.number
         FROM host_slot AS idle
        WHERE idle.holder = ANY (CAST(:holders AS text[]))
          AND NOT EXISTS (SELECT FROM node
                            JOIN claim ON claim.node_id = node.id AND claim.state = 'held' AND claim.purpose = 'fetch'
                            JOIN asset ON asset.id = claim.asset_id AND asset.host = idle.host
                           WHERE 'node:' || node.name = idle.holder)
        ORDER BY idle.host, idle.number
          FOR UPDATE SKIP LOCKED)
    RETURNING slot.host
), opened AS (
    UPDATE lane
       SET closed_until = NULL
     WHERE id IN (SELECT lane.id FROM lane
                   WHERE lane.host IN (SELECT host FROM given) AND lane.closed_until IS NOT NULL
                   ORDER BY lane.id FOR UPDATE SKIP LOCKED)
)
SELECT host FROM given;
