-- A portal's list against what its harvest saw. A record that was refused was not missing: it was there to be read.
WITH listed AS (
    SELECT DISTINCT identifier FROM listing_entry WHERE harvest_id = :harvest_id
), seen AS (
    SELECT dataset.identifier
      FROM sighting
      JOIN dataset ON dataset.id = sighting.dataset_id
     WHERE sighting.harvest_id = :harvest_id
       AND dataset.portal_id = :portal_id
), refused AS (
    SELECT DISTINCT identifier FROM refusal WHERE harvest_id = :harvest_id AND identifier IS NOT NULL
), compared AS (
    SELECT listed.identifier, listed.identifier IS NOT NULL AS is_listed,
           seen.identifier IS NOT NULL AS is_seen, refused.identifier IS NOT NULL AS is_refused
      FROM listed
      FULL JOIN seen ON seen.identifier = listed.identifier
      LEFT JOIN refused ON refused.identifier = listed.identifier
), missing AS (
    SELECT identifier FROM compared WHERE is_listed AND NOT is_seen AND NOT is_refused
)
SELECT count(*) FILTER (WHERE is_listed) AS listed,
       count(*) FILTER (WHERE is_listed AND NOT is_seen AND NOT is_refused) AS missing,
       count(*) FILTER (WHERE NOT is_listed) AS surplus,
       ARRAY(SELECT identifier FROM missing ORDER BY identifier LIMIT :limit) AS sample
  FROM compared;
