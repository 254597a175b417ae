-- Files behind what is suspected or confirmed lost, datasets and links: how many, and how many of them we hold.
WITH lost AS (
    SELECT asset_id FROM loss WHERE state IN ('suspected', 'confirmed') AND asset_id IS NOT NULL
     UNION
    SELECT asset_resource.asset_id
      FROM loss
      JOIN resource ON resource.dataset_id = loss.dataset_id
      JOIN asset_resource ON asset_resource.resource_id = resource.id
     WHERE loss.state IN ('suspected', 'confirmed')
)
SELECT count(*) AS files, count(*) FILTER (WHERE asset.state = 'held') AS held
  FROM lost
  JOIN asset ON asset.id = lost.asset_id;
