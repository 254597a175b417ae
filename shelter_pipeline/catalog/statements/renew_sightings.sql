-- These datasets were seen by this harvest, whether or not one has seen them before.
INSERT INTO sighting (dataset_id, harvest_id, popularity)
SELECT seen.dataset_id, :harvest_id, seen.popularity
  FROM unnest(CAST(:dataset_ids AS bigint[]), CAST(:popularities AS bigint[])) AS seen (dataset_id, popularity)
    ON CONFLICT (dataset_id) DO UPDATE
   SET harvest_id = excluded.harvest_id, popularity = coalesce(excluded.popularity, sighting.popularity);
