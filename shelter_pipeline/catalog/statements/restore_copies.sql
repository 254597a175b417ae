-- Copies in a store, by what it was found to hold. Bytes that nobody has read are verified at no time; a file of
-- another size than its blob is damaged. A copy that was missing and is there again is good; what else is known stays.
INSERT INTO copy (sha256, store_id, state, verified_at)
SELECT found.sha256, store.id, CASE WHEN blob.size = found.size THEN 'good' ELSE 'damaged' END,
       coalesce(CAST(:verified_at AS timestamptz), to_timestamp(0))
  FROM unnest(CAST(:digests AS text[]), CAST(:sizes AS bigint[])) AS found (sha256, size)
  JOIN blob ON blob.sha256 = found.sha256
  JOIN store ON store.name = :store
    ON CONFLICT (sha256, store_id, node_id) DO UPDATE
   SET state = CASE WHEN copy.state = 'missing' THEN excluded.state ELSE copy.state END,
       verified_at = greatest(copy.verified_at, excluded.verified_at)
 WHERE copy.state = 'missing' OR copy.verified_at < excluded.verified_at;
