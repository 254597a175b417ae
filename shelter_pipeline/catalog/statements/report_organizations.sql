-- The organizations that are reported on, of all or of these ids: who they are, and how much of theirs is listed no more.
SELECT organization.id, organization.key AS organization, organization.name, organization.kind, portal.slug AS portal,
       (SELECT count(*) FROM dataset
         WHERE dataset.organization_id = organization.id AND dataset.state = 'absent') AS absent_datasets
  FROM organization
  JOIN portal ON portal.id = organization.portal_id
 WHERE CAST(:organizations AS bigint[]) IS NULL OR organization.id = ANY (:organizations)
 ORDER BY organization.id;
