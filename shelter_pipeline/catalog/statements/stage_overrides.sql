-- What the words that stand say of each file they reach. Boosts add up; of several levels the one of the nearest target
-- counts (file, dataset, host, organization), and of these the latest. `asset_ids` null: of all files.
CREATE TEMPORARY TABLE staged_override ON COMMIT DROP AS
WITH standing AS MATERIALIZED (
    SELECT * FROM override WHERE revoked_at IS NULL AND (until IS NULL OR until > now())
), reached AS (
    SELECT standing.id, standing.action, standing.amount, standing.asset_id, 4 AS nearness
      FROM standing
     WHERE standing.asset_id IS NOT NULL
    UNION
    SELECT standing.id, standing.action, standing.amount, asset_resource.asset_id, 3
      FROM standing
      JOIN resource ON resource.dataset_id = standing.dataset_id
      JOIN asset_resource ON asset_resource.resource_id = resource.id
    UNION
    SELECT standing.id, standing.action, standing.amount, asset.id, 2
      FROM standing
      JOIN asset ON asset.host = standing.host
    UNION
    SELECT standing.id, standing.action, standing.amount, asset_resource.asset_id, 1
      FROM standing
      JOIN dataset ON dataset.organization_id = standing.organization_id
      JOIN resource ON resource.dataset_id = dataset.id
      JOIN asset_resource ON asset_resource.resource_id = resource.id
)
SELECT asset_id, coalesce(sum(amount) FILTER (WHERE action = 'boost'), 0)::real AS boost,
       bool_or(action = 'pin') AS pinned, bool_or(action = 'exclude') AS excluded,
       (array_agg(amount::smallint ORDER BY nearness DESC, id DESC) FILTER (WHERE action = 'set'))[1] AS level_set
  FROM reached
 WHERE (CAST(:asset_ids AS bigint[]) IS NULL OR asset_id = ANY (CAST(:asset_ids AS bigint[])))
 GROUP BY asset_id;
