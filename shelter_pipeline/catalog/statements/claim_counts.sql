-- What the portal says each of its organizations has: to be shown, and to hold this harvest against.
WITH claimed AS (
    SELECT organization.id, claim.total
      FROM unnest(CAST(:slugs AS text[]), CAST(:totals AS bigint[])) AS claim (slug, total)
      JOIN organization ON organization.portal_id = :portal_id AND organization.slug = claim.slug
), noted AS (
    UPDATE organization
       SET claimed_datasets = claimed.total
      FROM claimed
     WHERE organization.id = claimed.id
       AND organization.claimed_datasets IS DISTINCT FROM claimed.total
)
INSERT INTO harvest_organization (harvest_id, organization_id, expected)
SELECT :harvest_id, id, total FROM claimed
    ON CONFLICT (harvest_id, organization_id) DO UPDATE SET expected = excluded.expected;
