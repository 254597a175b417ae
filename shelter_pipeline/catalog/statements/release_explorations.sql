-- Places that were taken and are given back unread: anybody may take them.
UPDATE exploration
   SET taken_until = NULL
  FROM jsonb_to_recordset(CAST(:held AS jsonb)) AS held (id bigint, token bigint)
 WHERE exploration.id = held.id
   AND exploration.token = held.token;
