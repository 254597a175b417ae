-- By organization: how many datasets were listed before this harvest, and how many of them it did not see.
SELECT organization.id, organization.key, count(*) AS listed, count(unseen.dataset_id) AS missing
  FROM dataset
  JOIN organization ON organization.id = dataset.organization_id
  LEFT JOIN unseen ON unseen.dataset_id = dataset.id
 WHERE dataset.portal_id = :portal_id
   AND (dataset.state = 'listed' OR unseen.was_listed)
 GROUP BY organization.id, organization.key
HAVING count(*) > 0;
