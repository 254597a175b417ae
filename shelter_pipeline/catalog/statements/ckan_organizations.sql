-- Organizations of all portals with how many datasets they have, all of them or those with one of these names.
SELECT organization.id, organization.key, organization.slug, organization.name, organization.kind,
       portal.slug AS portal, counted.datasets
  FROM organization
  JOIN portal ON portal.id = organization.portal_id
 CROSS JOIN LATERAL (SELECT count(*) AS datasets FROM dataset
                      WHERE dataset.organization_id = organization.id) AS counted
 WHERE CAST(:names AS text[]) IS NULL
    OR organization.key = ANY (CAST(:names AS text[]))
    OR organization.slug = ANY (CAST(:names AS text[]))
 ORDER BY organization.key;
