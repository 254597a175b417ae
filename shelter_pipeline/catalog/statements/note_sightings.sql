-- Each record of a page was seen by this harvest; the record itself is not rewritten for it.
INSERT INTO sighting (dataset_id, harvest_id)
SELECT id, :harvest_id FROM dataset WHERE portal_id = :portal_id AND identifier = ANY (:identifiers)
    ON CONFLICT (dataset_id) DO UPDATE SET harvest_id = greatest(sighting.harvest_id, excluded.harvest_id);
