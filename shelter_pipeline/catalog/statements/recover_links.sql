-- A link that gave the file again is no loss any more.
UPDATE loss
   SET state = 'recovered', decided_at = now(),
       evidence = evidence || jsonb_build_object('seen_by_capture', look.capture_id)
  FROM look
 WHERE loss.asset_id = look.asset_id
   AND loss.state IN ('suspected', 'confirmed')
   AND look.reason = ANY (:good);
