-- The captures after the last settled one, as far as they are there.
INSERT INTO throughput (hour, verdict, settled, captures, files, bytes, wire_bytes, first_at)
SELECT date_trunc('hour', finished_at, 'UTC'), verdict, false, count(*),
       count(*) FILTER (WHERE verdict = 'stored' AND NOT late),
       least(coalesce(sum(size) FILTER (WHERE verdict = 'stored' AND NOT late), 0), 9223372036854775807)::bigint,
       least(sum(wire_bytes), 9223372036854775807)::bigint, min(finished_at)
  FROM capture
 WHERE id > :after
 GROUP BY 1, 2;
