-- Runs whose worker has been silent for so long, while the database itself was there to hear it.
SELECT run_id, worker, extract(epoch FROM now() - beat_at)::float AS silent_seconds
  FROM run_beat
 WHERE beat_at < now() - make_interval(secs => :silent_seconds)
   AND pg_postmaster_start_time() < now() - make_interval(secs => :silent_seconds)
 ORDER BY beat_at;
