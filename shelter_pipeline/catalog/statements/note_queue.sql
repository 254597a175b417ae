-- How far the queue is up to date now.
UPDATE queue_state
   SET due_until = :due_until,
       capture_id = coalesce((SELECT max(id) FROM capture), 0),
       rebuilt_at = CASE WHEN :rebuilt THEN now() ELSE rebuilt_at END;
