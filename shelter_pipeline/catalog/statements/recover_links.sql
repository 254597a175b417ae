-- A link that gave the file again is no loss any more; what was withheld never was one.
UPDATE loss
   SET state = CASE WHEN loss.state = 'withheld' THEN 'dismissed' ELSE 'recovered' END, decided_at = now(),
       kind = CASE WHEN loss.state = 'withheld' THEN 'harvest-fault' ELSE loss.kind END,
       evidence = evidence || jsonb_build_object('seen_by_capture', look.capture_id)
  FROM look
 WHERE loss.asset_id = look.asset_id
   AND loss.state IN ('withheld', 'suspected', 'confirmed')
   AND look.reason = ANY (:good)
RETURNING loss.state;
