-- A run that is known to be dead holds nothing any more, and its batch waits for the next attempt.
WITH freed AS (
    UPDATE claim SET state = 'released', ended_at = now() WHERE holder = :run_id AND state = 'held'
)
UPDATE batch
   SET state = CASE WHEN attempt >= :max_attempts THEN 'failed' ELSE 'planned' END,
       attempt = CASE WHEN attempt >= :max_attempts THEN attempt ELSE attempt + 1 END,
       not_before = now()
 WHERE run_id = :run_id
   AND state = 'running'
RETURNING key;
