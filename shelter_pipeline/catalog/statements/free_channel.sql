-- A channel has taken a message (:told), or there was none for it: it is free, and works as far as is known.
UPDATE alert_channel
   SET told_at = CASE WHEN CAST(:told AS boolean) THEN now() ELSE told_at END,
       failures = CASE WHEN CAST(:told AS boolean) THEN 0 ELSE failures END,
       problem = CASE WHEN CAST(:told AS boolean) THEN NULL ELSE problem END,
       busy_until = NULL
 WHERE name = :name;
