-- A channel did not take a message: it rests for a minute, then two, four, and an hour at most.
UPDATE alert_channel
   SET failures = failures + 1,
       problem = :problem,
       busy_until = now() + make_interval(mins => least(60, power(2, least(failures, 10))::integer))
 WHERE name = :name;
