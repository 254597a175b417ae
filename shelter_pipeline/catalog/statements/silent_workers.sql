-- Workers that have been silent for :silent_seconds and did not say that they end. One is not missed when a worker of its
-- host that began later is alive (it was started again, under the number of another process), or after a day (a container
-- that was replaced by one of another name).
SELECT name, host, beat_at, extract(epoch FROM now() - beat_at)::double precision AS silent_seconds
  FROM worker
 WHERE NOT ending
   AND beat_at < now() - make_interval(secs => :silent_seconds)
   AND beat_at > now() - interval '1 day'
   AND NOT EXISTS (
       SELECT FROM worker AS heir
        WHERE heir.host = worker.host
          AND heir.started_at > worker.beat_at
          AND heir.beat_at >= now() - make_interval(secs => :silent_seconds))
 ORDER BY name;
