-- A suspected link is due again sooner than its reason asks for; what rests for another reason goes on resting.
UPDATE asset
   SET next_attempt_at = look.finished_at + :look_after
  FROM look
  JOIN loss ON loss.asset_id = look.asset_id AND loss.state IN ('withheld', 'suspected')
 WHERE asset.id = look.asset_id
   AND asset.state IN ('failed', 'held')
   AND asset.reason = look.reason
   AND look.kind IS NOT NULL
   AND coalesce(asset.next_attempt_at, 'infinity') > look.finished_at + :look_after;
