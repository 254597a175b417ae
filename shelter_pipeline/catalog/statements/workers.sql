-- Every machine of the fleet that was heard of within the day, and the runs it says it is at.
SELECT worker.name, worker.host, worker.release, worker.slots, worker.queues, worker.started_at, worker.beat_at,
       worker.clock_offset_seconds, worker.ending,
       extract(epoch FROM now() - worker.beat_at)::float AS silent_seconds,
       (SELECT count(*) FROM run_beat WHERE run_beat.worker = worker.name) AS runs
  FROM worker
 ORDER BY worker.name;
