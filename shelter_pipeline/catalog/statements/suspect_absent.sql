-- Each listed dataset that this complete harvest did not see becomes absent, with one suspected loss.
WITH absent AS (
    UPDATE dataset
       SET state = 'absent'
     WHERE portal_id = :portal_id
       AND state = 'listed'
       AND NOT EXISTS (SELECT FROM sighting
                        WHERE sighting.dataset_id = dataset.id AND sighting.harvest_id >= :harvest_id)
    RETURNING id
)
INSERT INTO loss (portal_id, dataset_id, kind, harvest_id)
SELECT :portal_id, id, 'delisted', :harvest_id FROM absent
    ON CONFLICT DO NOTHING;
