-- Copies by state, in our stores and at nodes.
SELECT copy.state, copy.store_id IS NOT NULL AS ours, count(*) AS copies,
       least(coalesce(sum(blob.size), 0), 9223372036854775807)::bigint AS bytes
  FROM copy
  JOIN blob ON blob.sha256 = copy.sha256
 GROUP BY 1, 2
 ORDER BY 1, 2;
