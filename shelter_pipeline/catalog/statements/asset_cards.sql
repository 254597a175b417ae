-- Files by their ids, in the order asked for, each with its copies that count and when one was last proved, those that are only said to be, whether it
-- hangs on one node's word, and its newest capture.
SELECT asset.id, asset.url, asset.host, asset.kind, asset.format, asset.state, asset.reason, asset.sha256, asset.size,
       coalesce(asset.expected_size, asset.estimated_size) AS expected_size, asset.checksum,
       coalesce(blob.media_type, asset.media_type) AS media_type, asset.attempts, asset.next_attempt_at, asset.found_at,
       priority.level AS priority, newest.id AS capture_id, newest.finished_at AS captured_at,
       newest.reason AS capture_reason,
       (SELECT coalesce(sum(copy.counts), 0) FROM copy WHERE copy.sha256 = asset.sha256 AND copy.state = 'good') AS copies,
       (SELECT count(*) FROM copy WHERE copy.sha256 = asset.sha256 AND copy.state = 'claimed') AS copies_claimed,
       (SELECT max(copy.verified_at) FROM copy WHERE copy.sha256 = asset.sha256 AND copy.state = 'good') AS proved_at,
       asset.state = 'held' AND EXISTS (SELECT FROM testimony
                                       WHERE testimony.asset_id = asset.id AND testimony.sha256 = asset.sha256
                                         AND testimony.finding = 'open') AS unconfirmed
  FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS wanted (id, place)
  JOIN asset ON asset.id = wanted.id
  LEFT JOIN blob ON blob.sha256 = asset.sha256
  LEFT JOIN priority ON priority.asset_id = asset.id
  LEFT JOIN LATERAL (
       SELECT capture.id, capture.finished_at, capture.reason
         FROM capture
        WHERE capture.asset_id = asset.id AND NOT capture.late
        ORDER BY capture.id DESC
        LIMIT 1
  ) AS newest ON true
 ORDER BY wanted.place;
