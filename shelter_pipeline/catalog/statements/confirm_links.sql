-- Enough looks over enough time found nothing; what was withheld as well: a failure that lasts is real.
UPDATE loss
   SET state = 'confirmed', decided_at = now()
  FROM look
 WHERE loss.asset_id = look.asset_id
   AND loss.state IN ('withheld', 'suspected')
   AND loss.misses >= :confirm_harvests
   AND loss.last_missed_at - loss.suspected_at >= :confirm_after;
