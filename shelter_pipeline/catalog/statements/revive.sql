-- A person wants files again that were given up: they are due at once, with no failures, and who said so and why is
-- kept. Locked in order; a file that is not given up is not touched.
WITH dead AS MATERIALIZED (
    SELECT asset.id, asset.attempts
      FROM asset
     WHERE asset.state = 'dead'
       AND (CAST(:urls AS text[]) IS NULL
            OR asset.url_hash IN (SELECT sha256(convert_to(url, 'UTF8')) FROM unnest(CAST(:urls AS text[])) AS url))
     ORDER BY asset.id
       FOR UPDATE
), noted AS (
    INSERT INTO revival (asset_id, who, why, attempts) SELECT id, :who, :why, attempts FROM dead
)
UPDATE asset
   SET state = CASE WHEN asset.sha256 IS NULL THEN 'pending' ELSE 'held' END, attempts = 0, next_attempt_at = now()
  FROM dead
 WHERE asset.id = dead.id
RETURNING asset.id AS asset_id;
