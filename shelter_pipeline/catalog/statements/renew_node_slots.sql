-- The places of a node at hosts live as long as its claims, and are locked in one order.
WITH mine AS MATERIALIZED (
    SELECT slot.host, slot.number
      FROM host_slot AS slot
     WHERE slot.holder = :holder
     ORDER BY slot.host, slot.number
       FOR UPDATE
)
UPDATE host_slot AS slot
   SET lease_until = clock_timestamp() + make_interval(secs => :lease_seconds)
  FROM mine
 WHERE slot.host = mine.host AND slot.number = mine.number;
