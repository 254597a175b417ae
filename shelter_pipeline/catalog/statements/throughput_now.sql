-- The clock that decides, since when there are captures, and when they were counted last.
SELECT now() AS now, (SELECT counted_at FROM throughput_mark) AS counted_at,
       (SELECT first_at FROM throughput ORDER BY hour, first_at LIMIT 1) AS first_at;
