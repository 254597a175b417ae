-- Give a holder's slots back, so that others need not wait for the end of their leases.
DELETE FROM host_slot AS slot
 USING unnest(CAST(:hosts AS text[]), CAST(:numbers AS int[])) AS given(host, number)
 WHERE slot.host = given.host
   AND slot.number = given.number
   AND slot.holder = :holder;
