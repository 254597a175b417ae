-- Files whose rest has ended since the queue was looked after last, and those that a capture was made of since. Both
-- by index. A little of what was seen before is looked at again: who commits late is not missed.
SELECT id FROM (
    (SELECT asset.id
       FROM asset
      WHERE asset.state = 'pending'
        AND asset.next_attempt_at > CAST(:due_until AS timestamptz) - interval '30 seconds'
        AND asset.next_attempt_at <= now()
      ORDER BY asset.next_attempt_at, asset.id
      LIMIT :most)
     UNION
    SELECT capture.asset_id
      FROM capture
     WHERE capture.id > :capture_id - 200
       AND capture.verdict IN ('stored', 'unchanged')
) AS due
 ORDER BY id
 LIMIT :most;
