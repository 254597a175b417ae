-- A run that is known to be dead holds nothing any more, and its batch waits for the next attempt, which has a
-- run key of its own; so does the batch of a run that ended before it began. The more attempts, the longer it rests.
WITH freed AS (
    UPDATE claim SET state = 'released', ended_at = now() WHERE holder = :run_id AND state = 'held'
)
UPDATE batch
   SET state = CASE WHEN attempt >= :max_attempts THEN 'failed' ELSE 'planned' END,
       attempt = CASE WHEN attempt >= :max_attempts THEN attempt ELSE attempt + 1 END,
       not_before = now() + make_interval(mins => greatest(least(attempt * attempt, 360), :rest_minutes))
 WHERE (run_id = :run_id AND state = 'running')
    OR (key = CAST(:key AS text) AND attempt = CAST(:attempt AS integer) AND state = 'planned')
RETURNING key;
