-- Datasets that their portals list no more, by organization.
SELECT organization.key AS organization, count(*) AS datasets
  FROM dataset
  JOIN organization ON organization.id = dataset.organization_id
 WHERE dataset.state = 'absent'
 GROUP BY organization.key;
