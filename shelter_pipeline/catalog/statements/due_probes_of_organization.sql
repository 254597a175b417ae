-- The same for the files of one organization: all of these are looked at, however many others there are.
WITH own AS MATERIALIZED (
    SELECT DISTINCT asset_resource.asset_id
      FROM dataset
      JOIN resource ON resource.dataset_id = dataset.id
      JOIN asset_resource ON asset_resource.resource_id = resource.id
     WHERE dataset.organization_id = :organization_id
), candidate AS (
    SELECT asset.id, asset.host, (asset.expected_size IS NULL) AS unknown, probe.due_at,
           CASE WHEN asset.probed THEN 1 WHEN asset.state = 'held' THEN 2 ELSE 0 END AS class
      FROM own
      JOIN asset ON asset.id = own.asset_id
      JOIN host ON host.name = asset.host
      LEFT JOIN probe ON probe.asset_id = asset.id
     WHERE asset.state IN ('pending', 'held')
       AND (NOT asset.probed OR probe.due_at <= now())
       AND (probe.taken_until IS NULL OR probe.taken_until <= now())
       AND (host.rest_until IS NULL OR host.rest_until <= now())
       AND host.name <> ALL (:busy_hosts)
)
SELECT id
  FROM (SELECT candidate.*, row_number() OVER (PARTITION BY host ORDER BY class, CASE WHEN class = 1 THEN due_at END,
                                                                          unknown DESC, id) AS place
          FROM candidate) AS placed
 WHERE place <= :per_host
 ORDER BY class, place, host
 LIMIT :limit;
