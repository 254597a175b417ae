-- Losses that are announced and stand, by how sure they are and by how much of each we hold: datasets, and links; and the
-- newest of those of which we lack something. Looks at every file of every lost dataset.
WITH lost AS MATERIALIZED (
    SELECT loss.id, loss.state, loss.dataset_id, loss.asset_id,
           (SELECT CASE WHEN count(part.sha256) = 0 THEN 'nothing'
                        WHEN count(part.sha256) = count(*) THEN 'whole' ELSE 'part' END
              FROM (SELECT loss.asset_id AS id
                    UNION
                    SELECT asset_resource.asset_id
                      FROM resource
                      JOIN asset_resource ON asset_resource.resource_id = resource.id
                     WHERE resource.dataset_id = loss.dataset_id) AS listed
              JOIN asset AS part ON part.id = listed.id) AS holding
      FROM loss
     WHERE loss.state IN ('suspected', 'confirmed')
)
SELECT lost.state, lost.holding, count(lost.dataset_id) AS datasets, count(lost.asset_id) AS links,
       CASE WHEN lost.holding <> 'whole'
            THEN ARRAY(SELECT one.id FROM lost AS one
                        WHERE one.state = lost.state AND one.holding = lost.holding
                        ORDER BY one.id DESC
                        LIMIT :shown)
            ELSE '{}' END AS newest
  FROM lost
 GROUP BY lost.state, lost.holding
 ORDER BY lost.state, lost.holding;
