-- What is kept apart of each asset in the scope: its newest evidence for one of these reasons, unless a capture
-- after it was good. Of the three ids exactly one is given.
SELECT asset.id AS asset_id, asset.url, newest.id AS capture_id, newest.reason, newest.sha256
  FROM asset
 CROSS JOIN LATERAL (
       SELECT capture.id, capture.verdict, capture.reason, capture.sha256
         FROM capture
        WHERE capture.asset_id = asset.id
          AND NOT capture.late
          AND (capture.verdict IN ('stored', 'unchanged')
               OR (capture.reason = ANY (:reasons) AND capture.sha256 IS NOT NULL))
        ORDER BY capture.id DESC
        LIMIT 1
 ) AS newest
 WHERE newest.verdict NOT IN ('stored', 'unchanged')
   AND (asset.id = CAST(:asset_id AS bigint)
        OR asset.id IN (SELECT asset_resource.asset_id
                          FROM asset_resource
                          JOIN resource ON resource.id = asset_resource.resource_id
                          JOIN dataset ON dataset.id = resource.dataset_id
                         WHERE dataset.id = CAST(:dataset_id AS bigint)
                            OR dataset.organization_id = CAST(:organization_id AS bigint)))
 ORDER BY asset.id;
