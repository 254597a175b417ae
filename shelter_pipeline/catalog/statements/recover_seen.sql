-- What is seen again is listed again and its loss recovered; what was only withheld turns out to have been a fault.
-- A sighting counts if it is no older than the last harvest that missed the dataset. Repeated, it finds nothing.
WITH seen AS (
    SELECT loss.id, loss.dataset_id
      FROM loss
      JOIN sighting ON sighting.dataset_id = loss.dataset_id
     WHERE loss.portal_id = :portal_id
       AND loss.state IN ('withheld', 'suspected', 'confirmed')
       AND sighting.harvest_id >= greatest(:harvest_id, coalesce(loss.harvest_id, 0))
), ended AS (
    UPDATE loss
       SET kind = CASE WHEN state = 'withheld' THEN 'harvest-fault' ELSE kind END,
           state = CASE WHEN state = 'withheld' THEN 'dismissed' ELSE 'recovered' END,
           decided_at = now(),
           evidence = evidence || jsonb_build_object('seen_by', CAST(:harvest_id AS bigint))
      FROM seen
     WHERE loss.id = seen.id
       AND loss.state IN ('withheld', 'suspected', 'confirmed')
), back AS (
    UPDATE dataset
       SET state = 'listed'
      FROM seen
     WHERE dataset.id = seen.dataset_id
       AND dataset.state = 'absent'
    RETURNING dataset.organization_id
), counted AS (
    INSERT INTO harvest_organization (harvest_id, organization_id, recovered)
    SELECT :harvest_id, organization_id, count(*) FROM back GROUP BY organization_id
        ON CONFLICT (harvest_id, organization_id) DO UPDATE
       SET recovered = harvest_organization.recovered + excluded.recovered
)
SELECT count(*) FROM back;
