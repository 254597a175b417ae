-- Each column counts the ways in which one invariant of a rescue is broken; all are zero whatever was killed,
-- cut or filled up before. It looks at rows alone: `invariants.py` compares them with the files of a store.
SELECT (SELECT count(*) FROM claim
         WHERE claim.state = 'settled' AND claim.purpose = 'fetch'
           AND NOT EXISTS (SELECT FROM capture WHERE capture.token = claim.token AND NOT capture.late))
           AS settled_without_capture,
       (SELECT count(*) FROM (SELECT token FROM capture WHERE NOT late AND token IS NOT NULL
                               GROUP BY token HAVING count(*) > 1) AS twice)
           AS settled_twice,
       (SELECT count(*) FROM capture
          JOIN claim ON claim.token = capture.token
         WHERE NOT capture.late AND (claim.state <> 'settled' OR claim.asset_id <> capture.asset_id))
           AS captures_of_somebody_else,
       (SELECT count(*) FROM capture
          JOIN claim ON claim.token = capture.token
         WHERE NOT capture.late AND claim.outcome IS DISTINCT FROM capture.reason)
           AS outcomes_that_differ,
       (SELECT count(*) FROM asset
         WHERE asset.state = 'held'
           AND NOT EXISTS (SELECT FROM blob
                             JOIN copy ON copy.sha256 = blob.sha256 AND copy.state = 'good'
                            WHERE blob.sha256 = asset.sha256 AND blob.size = asset.size))
           AS held_without_good_copy,
       (SELECT count(*) FROM capture
         WHERE capture.verdict IN ('stored', 'unchanged') AND capture.sha256 IS NOT NULL AND capture.node_id IS NULL
           AND NOT EXISTS (SELECT FROM blob WHERE blob.sha256 = capture.sha256 AND blob.size = capture.size))
           AS captures_without_blob,
       (SELECT count(*) FROM capture WHERE verdict = 'stored' AND (sha256 IS NULL OR size IS NULL))
           AS stored_without_bytes,
       (SELECT count(*) FROM blob WHERE NOT EXISTS (SELECT FROM copy WHERE copy.sha256 = blob.sha256))
           AS blobs_without_copy,
       (SELECT count(*) FROM (SELECT asset_id FROM claim WHERE state = 'held'
                               GROUP BY asset_id, slot HAVING count(*) > 1
                               UNION ALL
                              SELECT asset_id FROM claim WHERE state = 'held' AND purpose = 'fetch'
                               GROUP BY asset_id HAVING count(*) > 1 AND bool_or(node_id IS NULL)
                               UNION ALL
                              SELECT asset_id FROM claim WHERE state = 'held' AND node_id IS NOT NULL
                               GROUP BY asset_id, node_id HAVING count(*) > 1) AS several)
           AS several_live_claims,
       (SELECT count(*) FROM (SELECT token < max(token) OVER (PARTITION BY asset_id ORDER BY claimed_at, token
                                                              ROWS UNBOUNDED PRECEDING) AS falls
                                FROM claim) AS tokens WHERE falls)
           AS tokens_that_fall,
       (SELECT count(*) FROM claim WHERE (state = 'held') <> (ended_at IS NULL))
           AS claims_without_an_end,
       (SELECT count(*) FROM claim AS later
          JOIN claim AS earlier ON earlier.asset_id = later.asset_id AND earlier.slot = later.slot
                              AND earlier.token < later.token
         WHERE earlier.ended_at IS NULL OR earlier.ended_at > later.claimed_at)
           AS claims_that_overlap,
       (SELECT count(*) FROM batch
         WHERE state = 'done'
           AND EXISTS (SELECT FROM claim WHERE claim.batch_id = batch.id AND claim.state = 'held'
                          AND claim.claimed_at < batch.finished_at AND claim.lease_until > batch.finished_at))
           AS done_while_claimed;
