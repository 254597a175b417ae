-- How many batches are due for longer than :seconds while nothing moved in that time: no batch began or ended, and those
-- that run settled no file. No row if work goes on, or nothing waits.
SELECT count(*) AS batches, min(batch.not_before) AS since
  FROM batch
 WHERE batch.state = 'planned'
   AND batch.not_before < now() - make_interval(secs => :seconds)
   AND NOT EXISTS (
       SELECT FROM batch AS other
        WHERE greatest(other.started_at, other.finished_at) > now() - make_interval(secs => :seconds))
   AND NOT EXISTS (
       SELECT FROM batch AS running
         JOIN capture ON capture.batch_id = running.id
        WHERE running.state = 'running' AND capture.finished_at > now() - make_interval(secs => :seconds))
HAVING count(*) > 0;
