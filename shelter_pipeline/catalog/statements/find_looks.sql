-- The newest look at each link that is missed already, or whose last capture speaks of a loss. `kind` is the loss it
-- speaks of; null if it does not, or if trouble that may be ours has not gone on long enough.
INSERT INTO look (asset_id, portal_id, capture_id, reason, status, final_url, finished_at, kind, held)
WITH candidate AS (
    SELECT id FROM asset WHERE reason = ANY (:reasons)
    UNION
    SELECT asset_id FROM loss WHERE asset_id IS NOT NULL AND state IN ('withheld', 'suspected', 'confirmed')
)
SELECT asset.id, led.portal_id, newest.id, newest.reason, newest.status, newest.final_url,
       least(newest.finished_at, now()),
       CASE WHEN newest.reason = ANY (:replaced) THEN 'replaced'
            WHEN newest.reason = ANY (:lasting)
                 AND newest.finished_at - (
                     SELECT min(earlier.finished_at)
                       FROM capture AS earlier
                      WHERE earlier.asset_id = asset.id
                        AND NOT earlier.late
                        AND earlier.id > coalesce((SELECT max(other.id)
                                                     FROM capture AS other
                                                    WHERE other.asset_id = asset.id AND NOT other.late
                                                      AND other.reason <> newest.reason), 0)
                 ) < :lasts_after THEN NULL
            WHEN newest.reason = ANY (:dead) THEN 'link-dead'
       END,
       asset.sha256 IS NOT NULL
  FROM candidate
  JOIN asset ON asset.id = candidate.id
 CROSS JOIN LATERAL (
       SELECT capture.id, capture.reason, capture.status, capture.final_url, capture.finished_at
         FROM capture
        WHERE capture.asset_id = asset.id
          AND NOT capture.late
        ORDER BY capture.id DESC
        LIMIT 1
 ) AS newest
  LEFT JOIN LATERAL (
       SELECT dataset.portal_id
         FROM asset_resource
         JOIN resource ON resource.id = asset_resource.resource_id AND resource.listed
         JOIN dataset ON dataset.id = resource.dataset_id
        WHERE asset_resource.asset_id = asset.id
          AND (CAST(:portal_id AS bigint) IS NULL OR dataset.portal_id = :portal_id)
        ORDER BY dataset.id
        LIMIT 1
  ) AS led ON true
 WHERE CAST(:portal_id AS bigint) IS NULL
    OR led.portal_id IS NOT NULL;
