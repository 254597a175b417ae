-- Each column counts the ways in which one invariant is broken; all are zero in a catalog that can be trusted.
SELECT (SELECT count(*) FROM asset
          JOIN batch ON batch.id = asset.batch_id AND batch.state = 'planned'
         WHERE NOT EXISTS (SELECT FROM asset_resource WHERE asset_resource.asset_id = asset.id)
           AND asset.state = 'pending') AS assets_without_resource,
       (SELECT count(*) FROM capture
         WHERE capture.verdict = 'stored'
           AND NOT EXISTS (SELECT FROM blob WHERE blob.sha256 = capture.sha256 AND blob.size = capture.size))
           AS captures_without_blob,
       (SELECT count(*) FROM blob
         WHERE NOT EXISTS (SELECT FROM copy WHERE copy.sha256 = blob.sha256)) AS blobs_without_copy,
       (SELECT count(*) FROM claim
         WHERE claim.state = 'settled'
           AND NOT EXISTS (SELECT FROM capture
                            WHERE capture.asset_id = claim.asset_id AND capture.token = claim.token
                              AND NOT capture.late)) AS settled_without_capture,
       (SELECT count(*) FROM batch
         WHERE state = 'failed'
           AND EXISTS (SELECT FROM asset WHERE asset.batch_id = batch.id AND asset.state = 'pending'))
           AS failed_batches,
       (SELECT count(*) FROM asset WHERE state IN ('failed', 'dead') AND reason IS NULL)
           AS unexplained_files;
