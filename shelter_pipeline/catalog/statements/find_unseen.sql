-- What this harvest did not see, of all that was listed or is missed already. The narrow sightings are read whole,
-- datasets only where one is missing. Repeated, it finds the same, for a loss says which harvest made it absent.
INSERT INTO unseen (dataset_id, organization_id, was_listed, asked, last_seen_by)
SELECT dataset.id, dataset.organization_id,
       dataset.state = 'listed' OR coalesce(loss.evidence ->> 'absent_since' = CAST(:harvest_id AS text), false),
       dataset.identifier = ANY (:asked), sighting.harvest_id
  FROM sighting
  JOIN dataset ON dataset.id = sighting.dataset_id
  LEFT JOIN loss ON loss.dataset_id = dataset.id AND loss.state IN ('withheld', 'suspected', 'confirmed')
 WHERE sighting.harvest_id < :harvest_id
   AND dataset.portal_id = :portal_id
   AND (dataset.state = 'listed' OR loss.id IS NOT NULL)
   -- A record that was refused is no loss: the portal has it, and we cannot read it.
   AND NOT EXISTS (SELECT FROM refusal
                    WHERE refusal.harvest_id = :harvest_id AND refusal.identifier = dataset.identifier);
