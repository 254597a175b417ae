-- Files that we hold in no store and of whose copies on nodes less than one counts are fetched again, if the last look
-- at them was a good one: a source that is gone is not asked more often for it.
WITH scarce AS (
    SELECT copy.sha256
      FROM copy
     WHERE copy.node_id IS NOT NULL
       AND copy.state = 'good'
       AND NOT EXISTS (SELECT FROM copy AS ours
                        WHERE ours.sha256 = copy.sha256 AND ours.store_id IS NOT NULL AND ours.state = 'good')
     GROUP BY copy.sha256
    HAVING sum(copy.counts) < 1
)
UPDATE asset
   SET next_attempt_at = now(), etag = NULL, last_modified = NULL
  FROM scarce
 WHERE asset.sha256 = scarce.sha256
   AND asset.reason IN ('stored', 'unchanged')
   AND coalesce(asset.next_attempt_at, 'infinity') > now();
