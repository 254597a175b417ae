-- How far captures are counted by the hour, where it is time to count on; asked under the lock of those who count. What
-- took long is done less often, so that counting takes a twentieth of the time at most. No row: not yet. `goal` is the id
-- up to which no capture can appear any more: every transaction that may have drawn a lower one has ended, or the mark
-- is of another server, restored from a dump, whose transactions are over anyway. The ten seconds are for whoever has
-- drawn an id and no transaction's number yet.
SELECT mark.counted_id,
       CASE WHEN mark.seen_at < now() - interval '10 seconds'
             AND (mark.seen_before <= CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
                  OR mark.seen_before > CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint))
            THEN mark.seen_id ELSE mark.counted_id END AS goal,
       coalesce((SELECT max(id) FROM capture), 0) AS newest,
       CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint) AS newest_before
  FROM throughput_mark AS mark
 WHERE coalesce(mark.counted_at < now() - make_interval(secs => greatest(:seconds, 20 * mark.seconds)), true);
