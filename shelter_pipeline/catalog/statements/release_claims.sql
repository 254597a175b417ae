-- Everything this holder still has is free again at once.
UPDATE claim
   SET state = 'released', ended_at = now()
 WHERE holder = :holder
   AND state = 'held';
