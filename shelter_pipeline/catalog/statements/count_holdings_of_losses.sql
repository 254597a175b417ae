-- Losses that are announced and stand, by how sure they are and by how much of each we hold: datasets, and links; and the
-- newest of those of which we lack something. Looks at every file of every lost dataset.
WITH lost AS MATERIALIZED (
    SELECT loss.id, loss.state, loss.dataset_id, loss.asset_id, held.holding
      FROM loss
     CROSS JOIN LATERAL
-- include holding_of_loss
           AS held
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
