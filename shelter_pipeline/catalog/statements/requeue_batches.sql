-- A running batch on which nobody holds a live claim, and nobody settled anything for a while, has lost its run.
UPDATE batch
   SET state = CASE WHEN attempt >= :max_attempts THEN 'failed' ELSE 'planned' END,
       attempt = CASE WHEN attempt >= :max_attempts THEN attempt ELSE attempt + 1 END,
       not_before = now()
 WHERE state = 'running'
   AND NOT EXISTS (SELECT FROM claim WHERE claim.batch_id = batch.id AND claim.state = 'held')
   AND NOT EXISTS (SELECT FROM claim
                    WHERE claim.batch_id = batch.id AND claim.ended_at > now() - interval '5 minutes')
   AND started_at < now() - interval '5 minutes'
RETURNING key;
