-- One process looks after the queue at a time; who comes meanwhile has nothing to do.
SELECT due_until, capture_id, rebuilt_at,
       coalesce(rebuilt_at > now() - make_interval(secs => :rebuild_seconds), false) AS fresh, now() AS at
  FROM queue_state
   FOR UPDATE SKIP LOCKED;
