-- One start for each host, not before the gap after the last one given is over, whoever was given it: the rows are
-- locked, so that no two starts of a host lie nearer. Seconds are counted from now, by the database's clock.
WITH wish AS (
    SELECT host.name, wish.gap
      FROM host
      JOIN unnest(CAST(:names AS text[]), CAST(:gaps AS float8[])) AS wish(name, gap) ON wish.name = host.name
     ORDER BY host.name
       FOR NO KEY UPDATE OF host
)
UPDATE host
   SET next_start_at = greatest(host.next_start_at, clock_timestamp()) + make_interval(secs => wish.gap)
  FROM wish
 WHERE host.name = wish.name
RETURNING host.name,
          CAST(extract(epoch FROM host.next_start_at - clock_timestamp()) AS float8) - wish.gap AS seconds;
