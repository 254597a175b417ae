-- How many runs of one kind the machines that are alive can take at once, those that end not counted.
SELECT coalesce(sum(slots), 0)::integer AS slots
  FROM worker
 WHERE :queue = ANY (queues) AND NOT ending AND beat_at > now() - make_interval(secs => :silent_seconds);
