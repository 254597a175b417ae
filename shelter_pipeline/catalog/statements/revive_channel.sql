-- A channel has taken a test message: it needs no rest from its failures.
UPDATE alert_channel
   SET failures = 0, problem = NULL, busy_until = NULL
 WHERE name = :name AND failures > 0;
