-- The claims that these tokens name, as far as they are this node's, with what was promised of their files and what was
-- reported under them before. Claims are locked in the order of their tokens, as by everybody who settles.
WITH known AS MATERIALIZED (
    SELECT token, asset_id, purpose, CASE WHEN state = 'settled' THEN outcome END AS outcome, state = 'held' AND lease_until > now() AS is_live
      FROM claim
     WHERE token = ANY (:tokens)
       AND node_id = :node_id
     ORDER BY token
       FOR UPDATE
)
SELECT known.token, known.asset_id, known.purpose, known.is_live, asset.url, asset.format, asset.media_type,
       asset.checksum, asset.expected_size, asset.sha256, asset.state = 'held' AS is_held, asset.attempts,
       coalesce(said.reason, known.outcome) AS said_reason, said.sha256 AS said_sha256, said.late AS said_late,
       -- include rulings
  FROM known
  JOIN asset ON asset.id = known.asset_id
  LEFT JOIN LATERAL (
       SELECT capture.reason, capture.sha256, capture.late
         FROM capture
        WHERE capture.asset_id = known.asset_id AND capture.token = known.token
        ORDER BY capture.id
        LIMIT 1) AS said ON true
 ORDER BY known.token;
