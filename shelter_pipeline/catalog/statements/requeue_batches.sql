-- A running batch on which nobody holds a live claim, and nobody settled anything for a while, has lost its run. Claims
-- are looked for by the files of the batch: there are a few hundred of those, and millions of claims.
UPDATE batch
   SET state = CASE WHEN attempt >= :max_attempts THEN 'failed' ELSE 'planned' END,
       attempt = CASE WHEN attempt >= :max_attempts THEN attempt ELSE attempt + 1 END,
       not_before = now()
 WHERE state = 'running'
   AND started_at < now() - interval '5 minutes'
   AND NOT EXISTS (SELECT FROM claim WHERE claim.batch_id = batch.id AND claim.state = 'held')
   AND NOT EXISTS (SELECT FROM asset
                     JOIN claim ON claim.asset_id = asset.id
                    WHERE asset.batch_id = batch.id
                      AND claim.batch_id = batch.id
                      AND claim.ended_at > now() - interval '5 minutes')
RETURNING key;
