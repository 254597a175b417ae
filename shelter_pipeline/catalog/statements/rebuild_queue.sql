-- The whole queue from what is true now: as `queue_assets` would put in every file, and without those that are not
-- wanted. One pass over all files finds what differs, and only that is remembered and written; rows that somebody is at
-- are left to them.
WITH claimed AS MATERIALIZED (
    SELECT asset_id, count(*) AS fetching FROM claim WHERE state = 'held' AND purpose = 'fetch' GROUP BY asset_id
), copied AS MATERIALIZED (
    SELECT sha256, sum(counts) AS copies, bool_or(store_id IS NOT NULL) AS stored
      FROM copy WHERE state = 'good' GROUP BY sha256
), doubted AS MATERIALIZED (
    SELECT DISTINCT asset_id, sha256 FROM testimony WHERE finding = 'open' AND wanted
), changed AS MATERIALIZED (
    SELECT asset.id, true_now.wanted, true_now.organization_id, right_place.host, right_place.shard, right_place.need,
           right_place.place, true_now.bytes
      FROM asset
      JOIN priority ON priority.asset_id = asset.id
      LEFT JOIN batch ON batch.id = asset.batch_id AND batch.state = 'running'
      LEFT JOIN claimed ON claimed.asset_id = asset.id
      LEFT JOIN copied ON copied.sha256 = asset.sha256
      LEFT JOIN doubted ON doubted.asset_id = asset.id AND doubted.sha256 = asset.sha256
      LEFT JOIN work ON work.asset_id = asset.id
      LEFT JOIN lane ON lane.id = work.lane_id
     CROSS JOIN LATERAL (
           SELECT coalesce((asset.state = 'pending' OR (asset.state = 'held' AND doubted.asset_id IS NOT NULL))
                           AND asset.next_attempt_at <= now() AND NOT priority.excluded AND batch.id IS NULL
                           AND coalesce(claimed.fetching, 0)
                               < CASE WHEN asset.state = 'pending' THEN :fetches ELSE 1 END, false) AS is_fetch) AS may
     CROSS JOIN LATERAL (
           SELECT may.is_fetch
                  OR (asset.state = 'held' AND coalesce(copied.stored AND copied.copies < :wanted, false)) AS wanted,
                  coalesce(priority.organization_id,
                           (SELECT dataset.organization_id
                              FROM asset_resource
                              JOIN resource ON resource.id = asset_resource.resource_id
                              JOIN dataset ON dataset.id = resource.dataset_id
                             WHERE asset_resource.asset_id = asset.id
                             ORDER BY dataset.id
                             LIMIT 1)) AS organization_id,
                  coalesce(asset.size, asset.expected_size, asset.estimated_size, :unknown_bytes) AS bytes) AS true_now
     CROSS JOIN LATERAL (
           SELECT CASE WHEN may.is_fetch THEN asset.host END AS host,
                  CASE WHEN may.is_fetch THEN 0 ELSE CAST(asset.id % 4 AS smallint) END AS shard,
                  CASE WHEN asset.state = 'pending' THEN 20 WHEN NOT may.is_fetch AND copied.copies > 1 THEN 0 ELSE 10 END
                      + priority.level AS need,
                  CASE WHEN may.is_fetch THEN priority.score ELSE CAST(hashint8(asset.id) AS float8) END
                      AS place) AS right_place
     WHERE CASE WHEN NOT true_now.wanted THEN work.asset_id IS NOT NULL
                ELSE true_now.organization_id IS NOT NULL
                     AND (work.need, work.place, work.bytes, lane.organization_id, lane.shard, lane.host)
                         IS DISTINCT FROM (right_place.need, right_place.place, true_now.bytes,
                                           true_now.organization_id, right_place.shard, right_place.host)
           END
), opened AS (
    INSERT INTO lane (organization_id, host, shard)
    SELECT organization_id, host, shard FROM changed WHERE wanted
    EXCEPT
    SELECT organization_id, host, shard FROM lane
     ORDER BY 1, 2, 3
        ON CONFLICT DO NOTHING
    RETURNING id, organization_id, host, shard
), known AS MATERIALIZED (
    SELECT id, organization_id, coalesce(host, '') AS host, shard FROM lane
     UNION ALL
    SELECT id, organization_id, coalesce(host, ''), shard FROM opened
), gone AS (
    DELETE FROM work
     WHERE asset_id IN (SELECT asset_id FROM work
                         WHERE asset_id IN (SELECT id FROM changed WHERE NOT wanted)
                         ORDER BY asset_id FOR UPDATE SKIP LOCKED)
)
INSERT INTO work (asset_id, lane_id, need, place, bytes)
SELECT changed.id, known.id, changed.need, changed.place, changed.bytes
  FROM changed
  JOIN known ON known.organization_id = changed.organization_id
   AND known.host = coalesce(changed.host, '') AND known.shard = changed.shard
 WHERE changed.wanted
 ORDER BY changed.id
    ON CONFLICT (asset_id) DO UPDATE
   SET lane_id = excluded.lane_id, need = excluded.need, place = excluded.place, bytes = excluded.bytes;
