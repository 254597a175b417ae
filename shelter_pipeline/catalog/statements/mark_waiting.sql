-- Somebody who has no slot of these hosts waits for one: who has had theirs for a while gives them up.
WITH waited AS (
    SELECT name
      FROM host
     WHERE name = ANY(CAST(:names AS text[]))
       AND (waiting_at IS NULL OR waiting_at < clock_timestamp() - interval '1 second')
     ORDER BY name
       FOR NO KEY UPDATE
)
UPDATE host SET waiting_at = clock_timestamp() FROM waited WHERE host.name = waited.name;
