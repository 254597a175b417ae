-- The lane whose turn it is, once nobody is being served from it. For when all that are open are taken: lanes are held
-- for milliseconds. One lane is waited for, and none other is locked on the way, so nobody waits here for somebody who
-- waits in turn, if the transaction has locked none before; it need not be open any more when it comes.
SELECT lane.id
  FROM lane
 WHERE lane.id = (SELECT first.id
                    FROM lane AS first
                   WHERE first.waiting
                     AND first.least_bytes <= :most_bytes
                     AND (first.host IS NULL) = ANY (CAST(:from_store AS boolean[]))
                   ORDER BY first.need DESC, first.turn, first.id
                   LIMIT 1)
   FOR UPDATE;
