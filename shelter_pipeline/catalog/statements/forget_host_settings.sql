-- What an operator has said of the host is taken back: the settings hold for it.
UPDATE host
   SET connections = NULL, delay_seconds = NULL,
       robots = NULL, robots_why = NULL, robots_who = NULL, robots_set_at = NULL
 WHERE name = :name;
