-- Records that are known as they are were seen by this harvest, and are not rewritten for it; the answer is the places
-- of all others: new, changed, or seen by it before. Hashes come as one text of bytes, 32 each.
WITH noted AS (
    UPDATE sighting
       SET harvest_id = :harvest_id, popularity = coalesce(seen.popularity, sighting.popularity)
      FROM unnest(CAST(:identifiers AS text[]), CAST(:popularities AS bigint[]))
           WITH ORDINALITY AS seen (identifier, popularity, place)
      JOIN dataset ON dataset.portal_id = :portal_id
                  AND dataset.identifier = seen.identifier
                  AND dataset.record_hash
                      = substring(CAST(:hashes AS bytea) FROM CAST(seen.place AS integer) * 32 - 31 FOR 32)
     WHERE sighting.dataset_id = dataset.id
       AND sighting.harvest_id <> :harvest_id
    RETURNING seen.place
)
SELECT place FROM generate_series(1, cardinality(CAST(:identifiers AS text[]))) AS place
 WHERE place NOT IN (SELECT place FROM noted);
