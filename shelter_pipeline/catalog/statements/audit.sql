-- Each column counts the ways in which one invariant is broken; all are zero in a catalog that can be trusted.
SELECT (SELECT count(*) FROM asset
          JOIN batch ON batch.id = asset.batch_id AND batch.state = 'planned'
         WHERE NOT EXISTS (SELECT FROM asset_resource WHERE asset_resource.asset_id = asset.id)
           AND asset.state = 'pending') AS assets_without_resource,
       (SELECT count(*) FROM capture
         WHERE capture.verdict = 'stored' AND capture.node_id IS NULL
           AND NOT EXISTS (SELECT FROM blob WHERE blob.sha256 = capture.sha256 AND blob.size = capture.size))
           AS captures_without_blob,
       (SELECT count(*) FROM blob
         WHERE NOT EXISTS (SELECT FROM copy WHERE copy.sha256 = blob.sha256)) AS blobs_without_copy,
       (SELECT count(*) FROM claim
         WHERE claim.state = 'settled'
           AND claim.purpose = 'fetch'
           AND NOT EXISTS (SELECT FROM capture
                            WHERE capture.asset_id = claim.asset_id AND capture.token = claim.token
                              AND NOT capture.late)) AS settled_without_capture,
       (SELECT count(*) FROM batch
         WHERE state = 'failed'
           AND EXISTS (SELECT FROM asset WHERE asset.batch_id = batch.id AND asset.state = 'pending'))
           AS failed_batches,
       (SELECT count(*) FROM asset WHERE state IN ('failed', 'dead') AND reason IS NULL)
           AS unexplained_files,
       (SELECT count(*) FROM copy
         WHERE copy.node_id IS NOT NULL
           AND copy.state = 'good'
           AND NOT EXISTS (SELECT FROM proof
                            WHERE proof.node_id = copy.node_id AND proof.sha256 = copy.sha256
                              AND proof.state = 'passed' AND proof.kind = copy.proved_by)
           AND NOT (copy.proved_by = 'quorum'
                    AND (SELECT count(DISTINCT capture.node_id) FROM capture
                          WHERE capture.sha256 = copy.sha256 AND capture.reason = 'unproved' AND NOT capture.late
                            AND capture.asset_id IN (SELECT asset_id FROM capture AS own
                                                      WHERE own.node_id = copy.node_id
                                                        AND own.sha256 = copy.sha256)) > 1))
           AS copies_without_proof,
       (SELECT count(*) FROM copy WHERE node_id IS NOT NULL AND state <> 'good' AND counts <> 0)
           AS unproved_copies_that_count;
