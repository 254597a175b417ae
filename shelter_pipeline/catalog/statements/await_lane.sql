-- The lane whose turn it is, once nobody is being served from it. For when all that are open are taken: lanes are held
-- for milliseconds, and whoever waits here holds nothing that others wait for but its own node.
SELECT lane.id
  FROM lane
 WHERE lane.waiting
   AND lane.least_bytes <= :most_bytes
   AND (lane.host IS NULL) = ANY (CAST(:from_store AS boolean[]))
 ORDER BY lane.need DESC, lane.turn, lane.id
 LIMIT 1
   FOR UPDATE;
