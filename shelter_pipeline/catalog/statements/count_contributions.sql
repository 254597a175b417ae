-- What each node has given: files it brought and that are held by its doing, and the copies that it keeps, proved or on
-- its word. Reads every copy of nodes.
SELECT node.id, coalesce(brought.files, 0) AS brought_files, coalesce(brought.bytes, 0)::bigint AS brought_bytes,
       coalesce(kept.good, 0) AS copies_good, coalesce(kept.bytes, 0)::bigint AS bytes_good,
       coalesce(kept.claimed, 0) AS copies_claimed
  FROM node
  LEFT JOIN (SELECT testimony.node_id, count(*) AS files, sum(capture.size) AS bytes
               FROM testimony
               JOIN capture ON capture.id = testimony.capture_id
              WHERE testimony.finding <> 'contradicted'
              GROUP BY testimony.node_id) AS brought ON brought.node_id = node.id
  LEFT JOIN (SELECT copy.node_id, count(*) FILTER (WHERE copy.state = 'good') AS good,
                    sum(blob.size) FILTER (WHERE copy.state = 'good') AS bytes,
                    count(*) FILTER (WHERE copy.state = 'claimed') AS claimed
               FROM copy
               JOIN blob ON blob.sha256 = copy.sha256
              WHERE copy.node_id IS NOT NULL
              GROUP BY copy.node_id) AS kept ON kept.node_id = node.id
 ORDER BY node.id;
