-- The machines of the fleet that were heard of within a day, and which of them are silent for :silent_seconds.
SELECT name, host, release, slots, queues, ending, clock_offset_seconds,
       beat_at < now() - make_interval(secs => :silent_seconds) AND NOT ending AS silent,
       extract(epoch FROM now() - beat_at)::double precision AS silent_seconds
  FROM worker
 WHERE beat_at > now() - interval '1 day'
 ORDER BY name;
