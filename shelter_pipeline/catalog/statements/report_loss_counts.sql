-- How many losses there are by state and kind, of all or of what these organizations list.
SELECT loss.state, loss.kind, count(*) AS losses
  FROM loss
 WHERE CAST(:organizations AS bigint[]) IS NULL
    OR loss.dataset_id IN (SELECT id FROM dataset WHERE organization_id = ANY (:organizations))
    OR loss.asset_id IN
-- include files_in_scope
 GROUP BY loss.state, loss.kind
 ORDER BY loss.state, loss.kind;
