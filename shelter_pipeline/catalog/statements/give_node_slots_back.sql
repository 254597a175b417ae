-- Nodes without a live claim of a file of a host have no place there any more.
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
          FOR UPDATE SKIP LOCKED);
