-- The places of a node at hosts live as long as its claims of their files that were renewed just now, and are locked in
-- one order. A place of which it fetches nothing any more runs out.
WITH hosts AS MATERIALIZED (
    SELECT DISTINCT asset.host
      FROM claim
      JOIN asset ON asset.id = claim.asset_id
     WHERE claim.token = ANY (CAST(:tokens AS bigint[])) AND claim.purpose = 'fetch'
), mine AS MATERIALIZED (
    SELECT slot.host, slot.number
      FROM host_slot AS slot
     WHERE slot.holder = :holder
       AND slot.host IN (SELECT host FROM hosts)
     ORDER BY slot.host, slot.number
       FOR UPDATE OF slot
)
UPDATE host_slot AS slot
   SET lease_until = clock_timestamp() + make_interval(secs => :lease_seconds)
  FROM mine
 WHERE slot.host = mine.host AND slot.number = mine.number;
