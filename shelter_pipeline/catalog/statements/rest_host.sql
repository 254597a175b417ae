-- The host is left alone for so many seconds from now, whoever wants it, whatever it rested before.
UPDATE host
   SET rest_until = now() + make_interval(secs => :seconds)
 WHERE name = :name;
