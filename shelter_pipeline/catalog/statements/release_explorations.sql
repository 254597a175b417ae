-- Places that were taken are given back as they were kept last: anybody may take them. In order of id, so that writers
-- never deadlock.
UPDATE exploration
   SET taken_until = NULL
  FROM (SELECT exploration.id
          FROM exploration
          JOIN jsonb_to_recordset(CAST(:held AS jsonb)) AS held (id bigint, token bigint) USING (id, token)
         ORDER BY exploration.id
           FOR NO KEY UPDATE OF exploration) AS own
 WHERE exploration.id = own.id;
