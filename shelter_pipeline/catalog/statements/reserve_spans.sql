-- One span for each host, after the last one given, whoever was given it, and not in the past: the rows are locked, so
-- that no two spans of a host overlap. Whoever was given the last one has its end as a mark, and so makes it longer: up
-- to so many seconds from now. Seconds are counted from now, by the database's clock.
WITH wish AS (
    SELECT host.name, wish.seconds, wish.mark, wish.only_longer
      FROM host
      JOIN unnest(CAST(:names AS text[]), CAST(:seconds AS float8[]), CAST(:marks AS timestamptz[]),
                  CAST(:only_longer AS boolean[])) AS wish(name, seconds, mark, only_longer) ON wish.name = host.name
     ORDER BY host.name
       FOR NO KEY UPDATE OF host
)
UPDATE host
   SET next_start_at = CASE WHEN host.next_start_at = wish.mark
                            THEN greatest(host.next_start_at, clock_timestamp() + make_interval(secs => wish.seconds))
                            ELSE greatest(host.next_start_at, clock_timestamp()) + make_interval(secs => wish.seconds)
                        END
  FROM wish
 WHERE host.name = wish.name
   AND (host.next_start_at = wish.mark OR NOT wish.only_longer)
RETURNING host.name, host.next_start_at AS mark,
          CAST(extract(epoch FROM host.next_start_at - clock_timestamp()) AS float8) AS ends;
