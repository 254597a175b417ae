-- Volunteers by what they have proved to hold, most bytes first, of all files or of those of these organizations; nobody
-- who was blocked.
WITH held AS (
    SELECT copy.node_id, count(*) AS copies, sum(blob.size) AS bytes
      FROM copy
      JOIN blob ON blob.sha256 = copy.sha256
     WHERE copy.node_id IS NOT NULL
       AND copy.state = 'good'
       AND (CAST(:organizations AS bigint[]) IS NULL
            OR copy.sha256 IN (SELECT asset.sha256
                                 FROM asset
                                WHERE asset.sha256 IS NOT NULL
                                  AND asset.id IN
-- include files_in_scope
                              ))
     GROUP BY copy.node_id
)
SELECT node.name AS volunteer, held.copies, least(held.bytes, 9223372036854775807)::bigint AS bytes, node.registered_at
  FROM held
  JOIN node ON node.id = held.node_id
 WHERE NOT node.blocked
 ORDER BY held.bytes DESC, node.id
 LIMIT :limit;
