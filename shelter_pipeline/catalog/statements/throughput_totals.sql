-- All captures that were ever made, by verdict.
SELECT verdict, sum(captures)::bigint AS captures, sum(files)::bigint AS files, sum(bytes)::bigint AS bytes,
       sum(wire_bytes)::bigint AS wire_bytes, min(first_at) AS first_at
  FROM throughput
 GROUP BY verdict
 ORDER BY verdict;
