-- Captures by hour or day (UTC) and verdict, of the time since; `first_at` is when the first of them ended.
SELECT date_trunc(:unit, hour, 'UTC') AS begins, verdict, sum(captures)::bigint AS captures,
       sum(files)::bigint AS files, sum(bytes)::bigint AS bytes, sum(wire_bytes)::bigint AS wire_bytes,
       min(first_at) AS first_at
  FROM throughput
 WHERE hour >= :since AND hour <= now()
 GROUP BY 1, 2
 ORDER BY 1, 2;
