-- Who comes to a place waits for whoever writes what was found there: one of the two sees the other, and no resource is
-- left without the files of its place. In order of id and before the resources, as writers do, so that nobody deadlocks.
SELECT exploration.id
  FROM exploration
 WHERE exploration.url_hash IN (SELECT url_hash FROM staged_place)
 ORDER BY exploration.id
   FOR NO KEY UPDATE;
