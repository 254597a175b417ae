-- A place that resources led to and none leads to any more is begun anew for who comes now: what was found there went
-- with the links of those who left. Whoever still reads it for nobody is fenced off.
UPDATE exploration
   SET state = 'ended', outcome = NULL, detail = NULL, due_at = now(), taken_until = NULL, token = token + 1
 WHERE url_hash IN (SELECT url_hash FROM staged_place)
   AND EXISTS (SELECT FROM exploration_page WHERE exploration_page.exploration_id = exploration.id)
   AND NOT EXISTS (SELECT FROM resource WHERE resource.exploration_id = exploration.id);
