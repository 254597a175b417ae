-- A further look that found nothing counts, if it is far enough from the last one that counted.
UPDATE loss
   SET misses = misses + 1, last_missed_at = look.finished_at, kind = look.kind,
       evidence = evidence || jsonb_build_object(
           'reason', look.reason, 'status', look.status, 'final_url', look.final_url, 'held', look.held,
           'captures', coalesce(evidence -> 'captures', '[]') || to_jsonb(look.capture_id))
  FROM look
 WHERE loss.asset_id = look.asset_id
   AND loss.state IN ('withheld', 'suspected', 'confirmed')
   AND look.kind IS NOT NULL
   AND look.capture_id > coalesce((loss.evidence -> 'captures' ->> -1)::bigint, 0)
   AND look.finished_at >= loss.last_missed_at + :looks_apart;
