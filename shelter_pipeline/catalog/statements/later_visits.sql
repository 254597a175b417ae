-- Testimonies that are open, each with the first later capture that can decide it: our own good one of the file, or a
-- report of the same bytes by a node of another network. What another node says against it decides nothing.
SELECT testimony.id, testimony.node_id, testimony.asset_id, testimony.sha256, testimony.last_modified,
       testimony.began_at, visit.sha256 AS visit_sha256, visit.started_at AS visit_began_at,
       (SELECT field ->> 1
          FROM jsonb_array_elements(CASE WHEN jsonb_typeof(visit.heads -> 'response') = 'array'
                                         THEN visit.heads -> 'response' ELSE '[]' END) AS field
         WHERE lower(field ->> 0) = 'last-modified'
         LIMIT 1) AS visit_last_modified
  FROM testimony
  JOIN node AS teller ON teller.id = testimony.node_id
 CROSS JOIN LATERAL (
       SELECT capture.sha256, capture.heads, capture.started_at
         FROM capture
         LEFT JOIN node ON node.id = capture.node_id
        WHERE capture.asset_id = testimony.asset_id
          AND NOT capture.late
          AND capture.sha256 IS NOT NULL
          AND ((capture.node_id IS NULL AND capture.id > testimony.capture_id
                AND capture.verdict IN ('stored', 'unchanged'))
               OR (capture.node_id <> testimony.node_id AND NOT node.blocked
                   AND capture.reason = 'unproved' AND capture.sha256 = testimony.sha256
                   AND (node.network IS NULL OR teller.network IS NULL OR node.network <> teller.network)))
        ORDER BY capture.id
        LIMIT 1) AS visit
 WHERE testimony.finding = 'open'
 ORDER BY testimony.id
 LIMIT :limit;
