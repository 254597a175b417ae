-- One process looks after the queue at a time; who has to, waits.
SELECT now() AS at FROM queue_state FOR UPDATE;
