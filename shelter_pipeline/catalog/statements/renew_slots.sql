-- Renew a holder's slots. One that came to somebody else meanwhile is not touched, and not among the rows.
WITH mine AS (
    SELECT slot.host, slot.number
      FROM host_slot AS slot
      JOIN unnest(CAST(:hosts AS text[]), CAST(:numbers AS int[])) AS asked(host, number)
        ON slot.host = asked.host AND slot.number = asked.number
     WHERE slot.holder = :holder
     ORDER BY slot.host, slot.number
       FOR UPDATE OF slot
)
UPDATE host_slot AS slot
   SET lease_until = clock_timestamp() + make_interval(secs => :lease_seconds)
  FROM mine
 WHERE slot.host = mine.host AND slot.number = mine.number
RETURNING slot.host, slot.number;
