-- Where breakers hold, and how many datasets and links each keeps from being announced.
SELECT portal, organization, breaker, count(dataset_id) AS datasets, count(asset_id) AS links, min(suspected_at) AS since
  FROM (SELECT portal.slug AS portal,
               coalesce(organization.key, CASE WHEN loss.asset_id IS NOT NULL THEN loss.evidence ->> 'breaker' END)
                   AS organization,
               loss.evidence ->> 'breaker' AS breaker, loss.dataset_id, loss.asset_id, loss.suspected_at
          FROM loss
          JOIN portal ON portal.id = loss.portal_id
          LEFT JOIN dataset ON dataset.id = loss.dataset_id
          LEFT JOIN organization ON organization.id = dataset.organization_id
         WHERE loss.state = 'withheld') AS withheld
 WHERE (CAST(:portal AS text) IS NULL OR portal = :portal)
   AND (CAST(:organization AS text) IS NULL OR organization = :organization)
 GROUP BY portal, organization, breaker
 ORDER BY count(*) DESC, organization;
