-- Where breakers hold, and how many datasets each keeps from being announced.
SELECT portal.slug AS portal, organization.key AS organization, loss.evidence ->> 'breaker' AS breaker,
       count(*) AS datasets, min(loss.suspected_at) AS since
  FROM loss
  JOIN dataset ON dataset.id = loss.dataset_id
  JOIN organization ON organization.id = dataset.organization_id
  JOIN portal ON portal.id = dataset.portal_id
 WHERE loss.state = 'withheld'
   AND (CAST(:portal AS text) IS NULL OR portal.slug = :portal)
   AND (CAST(:organization AS text) IS NULL OR organization.key = :organization)
 GROUP BY portal.slug, organization.key, loss.evidence ->> 'breaker'
 ORDER BY datasets DESC, organization.key;
