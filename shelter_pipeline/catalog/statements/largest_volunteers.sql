-- The nodes that hold most that was proved, by nickname, as last counted.
SELECT node.name, given.copies_good AS copies, given.bytes_good AS bytes
  FROM
-- include given_by_nodes
       AS given
  JOIN node ON node.id = given.id
 WHERE NOT node.blocked
   AND given.copies_good > 0
 ORDER BY given.bytes_good DESC, node.name
 LIMIT :limit;
