-- The ids of the organizations that have one of these keys, or belong to the portal of this slug, with what they are named by.
SELECT organization.id, organization.key, organization.name, portal.slug AS portal
  FROM organization
  JOIN portal ON portal.id = organization.portal_id
 WHERE (CAST(:keys AS text[]) IS NULL OR organization.key = ANY (:keys))
   AND (CAST(:portal AS text) IS NULL OR portal.slug = :portal)
 ORDER BY organization.id;
