-- Who holds a blob, best proved first: stores by a number, for their names tell of our machines, nodes by nickname.
SELECT CASE WHEN copy.store_id IS NULL THEN 'node' ELSE 'store' END AS kind,
       coalesce(node.name, 'store-' || copy.store_id) AS holder,
       copy.state, copy.proved_by, copy.counts, copy.stored_at, copy.verified_at
  FROM copy
  LEFT JOIN node ON node.id = copy.node_id
 WHERE copy.sha256 = :sha256
 ORDER BY copy.state = 'good' DESC, copy.counts DESC, copy.id
 LIMIT :most;
