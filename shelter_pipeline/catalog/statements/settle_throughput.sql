-- The captures of a span of ids, added to their hours for good.
INSERT INTO throughput AS known (hour, verdict, settled, captures, files, bytes, wire_bytes, first_at)
SELECT date_trunc('hour', finished_at, 'UTC'), verdict, true, count(*),
       count(*) FILTER (WHERE verdict = 'stored' AND NOT late),
       least(coalesce(sum(size) FILTER (WHERE verdict = 'stored' AND NOT late), 0), 9223372036854775807)::bigint,
       least(sum(wire_bytes), 9223372036854775807)::bigint, min(finished_at)
  FROM capture
 WHERE id > :after AND id <= :until
 GROUP BY 1, 2
    ON CONFLICT (hour, verdict, settled) DO UPDATE
   SET captures = known.captures + excluded.captures, files = known.files + excluded.files,
       bytes = known.bytes + excluded.bytes, wire_bytes = known.wire_bytes + excluded.wire_bytes,
       first_at = least(known.first_at, excluded.first_at);
