-- An operator's word on one host: what is null stays. A word on robots.txt is kept with its reason, name and day.
UPDATE host
   SET connections = coalesce(:connections, connections),
       delay_seconds = coalesce(:delay_seconds, delay_seconds),
       robots = coalesce(:robots, robots),
       robots_why = coalesce(:why, robots_why),
       robots_who = coalesce(:who, robots_who),
       robots_set_at = CASE WHEN CAST(:robots AS text) IS NULL THEN robots_set_at ELSE now() END
 WHERE name = :name;
