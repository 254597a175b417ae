-- Claims that were made for a holder whose answer got lost: it does not know of them, so nobody works on them.
UPDATE claim
   SET state = 'released', ended_at = now()
 WHERE holder = :holder
   AND state = 'held'
   AND token <> ALL (:known);
