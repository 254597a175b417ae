-- Files by state and reason, and what is known of their sizes: as held, as promised, as estimated. One scan.
SELECT state, coalesce(reason, '') AS reason, count(*) AS files,
       least(coalesce(sum(coalesce(size, expected_size, estimated_size)), 0), 9223372036854775807)::bigint AS bytes,
       count(*) FILTER (WHERE coalesce(size, expected_size, estimated_size) IS NULL) AS unsized
  FROM asset
 GROUP BY 1, 2
 ORDER BY 1, 2;
