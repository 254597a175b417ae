-- How many files there are of each format that catalogues promise, and of each kind that they are.
SELECT CASE WHEN grouping(kind) = 0 THEN 'kind' ELSE 'format' END AS by,
       CASE WHEN grouping(kind) = 0 THEN kind ELSE format END AS name,
       count(*) AS files,
       count(*) FILTER (WHERE state = 'held') AS held_files,
       count(*) FILTER (WHERE state = 'pending') AS pending_files,
       count(*) FILTER (WHERE state IN ('failed', 'dead')) AS failed_files,
       least(coalesce(sum(size) FILTER (WHERE state = 'held'), 0), 9223372036854775807)::bigint AS held_bytes
  FROM (SELECT kind, left(upper(format), 100) AS format, state, size FROM asset) AS file
 GROUP BY GROUPING SETS ((kind), (format))
 ORDER BY files DESC, name;
