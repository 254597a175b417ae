-- Lease free slots of hosts to one holder. A live slot is nobody else's: the primary key has the last word, and a
-- slot is taken over only when its lease is over. While a host has as many live slots as its limit, none is given.
WITH wish AS (
    SELECT wish.host, wish.most,
           least(wish.count, wish.most - (SELECT count(*) FROM host_slot AS live
                                           WHERE live.host = wish.host
                                             AND live.lease_until > clock_timestamp())) AS count
      FROM unnest(CAST(:hosts AS text[]), CAST(:counts AS int[]), CAST(:limits AS int[])) AS wish(host, count, most)
), free AS (
    SELECT wish.host, free.candidate AS number
      FROM wish
     CROSS JOIN LATERAL (
           SELECT candidate
             FROM generate_series(1, wish.most) AS candidate
            WHERE NOT EXISTS (SELECT FROM host_slot AS live
                               WHERE live.host = wish.host
                                 AND live.number = candidate
                                 AND live.lease_until > clock_timestamp())
            ORDER BY candidate
            LIMIT greatest(wish.count, 0)
           ) AS free
)
INSERT INTO host_slot AS slot (host, number, holder, lease_until)
SELECT host, number, :holder, clock_timestamp() + make_interval(secs => :lease_seconds)
  FROM free
 ORDER BY host, number
    ON CONFLICT (host, number) DO UPDATE
   SET holder = excluded.holder, lease_until = excluded.lease_until
 WHERE slot.lease_until <= clock_timestamp()
RETURNING host, number;
