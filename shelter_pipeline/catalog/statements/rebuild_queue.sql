-- The whole queue from what is true now: as `queue_assets` would put in every file, and without those that are not
-- wanted. Only what differs is written; rows that somebody is at are left to them.
WITH claimed AS MATERIALIZED (
    SELECT asset_id, count(*) AS fetching FROM claim WHERE state = 'held' AND purpose = 'fetch' GROUP BY asset_id
), copied AS MATERIALIZED (
    SELECT sha256, sum(counts) AS copies, bool_or(store_id IS NOT NULL) AS stored
      FROM copy WHERE state = 'good' GROUP BY sha256
), given AS (
    SELECT asset.id, asset.host, asset.state, priority.level, priority.score, copied.copies,
           coalesce(priority.organization_id,
                    (SELECT dataset.organization_id
                       FROM asset_resource
                       JOIN resource ON resource.id = asset_resource.resource_id
                       JOIN dataset ON dataset.id = resource.dataset_id
                      WHERE asset_resource.asset_id = asset.id
                      ORDER BY dataset.id
                      LIMIT 1)) AS organization_id,
           coalesce(asset.size, asset.expected_size, asset.estimated_size, :unknown_bytes) AS bytes
      FROM asset
      JOIN priority ON priority.asset_id = asset.id
      LEFT JOIN batch ON batch.id = asset.batch_id AND batch.state = 'running'
      LEFT JOIN claimed ON claimed.asset_id = asset.id
      LEFT JOIN copied ON copied.sha256 = asset.sha256
     WHERE (asset.state = 'held' AND copied.stored AND copied.copies < :wanted)
        OR (asset.state = 'pending' AND asset.next_attempt_at <= now() AND NOT priority.excluded
            AND batch.id IS NULL AND coalesce(claimed.fetching, 0) < :fetches)
), wanted AS MATERIALIZED (
    SELECT id, organization_id, bytes,
           CASE WHEN state = 'pending' THEN host END AS host,
           CASE WHEN state = 'pending' THEN 0 ELSE CAST(id % 4 AS int) END AS shard,
           CASE WHEN state = 'pending' THEN 20 WHEN copies > 1 THEN 0 ELSE 10 END + level AS need,
           CASE WHEN state = 'pending' THEN score ELSE CAST(hashint8(id) AS float8) END AS place
      FROM given
     WHERE organization_id IS NOT NULL
), opened AS (
    INSERT INTO lane (organization_id, host, shard)
    SELECT DISTINCT organization_id, host, shard FROM wanted
    EXCEPT
    SELECT organization_id, host, shard FROM lane
     ORDER BY 1, 2, 3
        ON CONFLICT DO NOTHING
    RETURNING id, organization_id, host, shard
), known AS MATERIALIZED (
    SELECT id, organization_id, coalesce(host, '') AS host, shard FROM lane
     UNION ALL
    SELECT id, organization_id, coalesce(host, ''), shard FROM opened
), placed AS MATERIALIZED (
    SELECT wanted.id, known.id AS lane_id, wanted.need, wanted.place, wanted.bytes
      FROM wanted
      JOIN known ON known.organization_id = wanted.organization_id
       AND known.host = coalesce(wanted.host, '') AND known.shard = wanted.shard
), gone AS (
    DELETE FROM work
     WHERE asset_id IN (SELECT asset_id FROM work
                         WHERE NOT EXISTS (SELECT FROM placed WHERE placed.id = work.asset_id)
                         ORDER BY asset_id FOR UPDATE SKIP LOCKED)
)
INSERT INTO work (asset_id, lane_id, need, place, bytes)
SELECT placed.id, placed.lane_id, placed.need, placed.place, placed.bytes
  FROM placed
  LEFT JOIN work ON work.asset_id = placed.id
 WHERE work.asset_id IS NULL
    OR (work.lane_id, work.need, work.place, work.bytes)
       IS DISTINCT FROM (placed.lane_id, placed.need, placed.place, placed.bytes)
 ORDER BY placed.id
    ON CONFLICT (asset_id) DO UPDATE
   SET lane_id = excluded.lane_id, need = excluded.need, place = excluded.place, bytes = excluded.bytes;
