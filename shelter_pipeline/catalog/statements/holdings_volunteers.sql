-- The nodes that hold most that was proved, by nickname. Reads every copy of nodes.
SELECT node.name, held.copies, held.bytes
  FROM (SELECT copy.node_id, count(*) AS copies, coalesce(sum(blob.size), 0)::bigint AS bytes
          FROM copy
          JOIN blob ON blob.sha256 = copy.sha256
         WHERE copy.node_id IS NOT NULL AND copy.state = 'good'
         GROUP BY copy.node_id) AS held
  JOIN node ON node.id = held.node_id
 WHERE NOT node.blocked
 ORDER BY held.bytes DESC, node.name
 LIMIT :limit;
