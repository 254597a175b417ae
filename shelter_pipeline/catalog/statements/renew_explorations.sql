-- Whoever still works on places keeps them for another while.
UPDATE exploration
   SET taken_until = now() + :lease
  FROM jsonb_to_recordset(CAST(:held AS jsonb)) AS held (id bigint, token bigint)
 WHERE exploration.id = held.id
   AND exploration.token = held.token;
