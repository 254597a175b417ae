-- Put those of these files into the queue that nodes may help with now: wanted, due, scored, in no batch that runs,
-- not enough claimed, or not enough copies of it. One that is held on a node's word, of which a second look is wanted,
-- waits for that at its host like one of which there is one copy. Of a file that waits already what has changed is written. What is
-- not wanted stays out, and what was put in for nothing leaves when it is looked at.
WITH given AS (
    SELECT asset.id, asset.host, asset.state, asset.sha256,
           priority.level, priority.score,
           coalesce(priority.organization_id, home.organization_id) AS organization_id,
           coalesce(asset.size, asset.expected_size, asset.estimated_size, :unknown_bytes) AS bytes,
           (SELECT coalesce(sum(copy.counts), 0) FROM copy
             WHERE copy.sha256 = asset.sha256 AND copy.state = 'good') AS copies,
           may.be_fetched AND (asset.state = 'pending' OR EXISTS (SELECT FROM testimony
                             WHERE testimony.asset_id = asset.id AND testimony.sha256 = asset.sha256
                               AND testimony.finding = 'open' AND testimony.wanted)) AS is_fetch
      FROM asset
      JOIN priority ON priority.asset_id = asset.id
      LEFT JOIN batch ON batch.id = asset.batch_id AND batch.state = 'running'
      LEFT JOIN LATERAL (
           SELECT dataset.organization_id
             FROM asset_resource
             JOIN resource ON resource.id = asset_resource.resource_id
             JOIN dataset ON dataset.id = resource.dataset_id
            WHERE asset_resource.asset_id = asset.id AND priority.organization_id IS NULL
            ORDER BY dataset.id
            LIMIT 1) AS home ON true
     CROSS JOIN LATERAL (
           SELECT asset.next_attempt_at <= now() AND NOT priority.excluded AND batch.id IS NULL
                  AND (SELECT count(*) FROM claim
                        WHERE claim.asset_id = asset.id AND claim.state = 'held' AND claim.purpose = 'fetch')
                      < CASE WHEN asset.state = 'pending' THEN :fetches ELSE 1 END AS be_fetched) AS may
     WHERE asset.id = ANY (CAST(:asset_ids AS bigint[]))
       AND (asset.state = 'held' OR (asset.state = 'pending' AND may.be_fetched))
), wanted AS (
    SELECT given.id, given.organization_id, lane.host, lane.shard, lane.need, lane.place, given.bytes
      FROM given
     CROSS JOIN LATERAL (
           SELECT given.host, 0 AS shard, CASE WHEN given.state = 'pending' THEN 20 ELSE 10 END + given.level AS need,
                  given.score AS place
            WHERE given.is_fetch
            UNION ALL
           SELECT NULL, CAST(given.id % 4 AS int), CASE WHEN given.copies > 1 THEN 0 ELSE 10 END + given.level,
                  CAST(hashint8(given.id) AS float8)
            WHERE NOT coalesce(given.is_fetch, false) AND given.state = 'held' AND given.copies < :wanted
              AND EXISTS (SELECT FROM copy WHERE copy.sha256 = given.sha256 AND copy.state = 'good'
                             AND copy.store_id IS NOT NULL)) AS lane
     WHERE given.organization_id IS NOT NULL
), opened AS (
    INSERT INTO lane (organization_id, host, shard)
    SELECT DISTINCT organization_id, host, shard FROM wanted ORDER BY 1, 2, 3
        ON CONFLICT DO NOTHING
    RETURNING id, organization_id, host, shard
), placed AS (
    SELECT wanted.id, wanted.need, wanted.place, wanted.bytes, coalesce(opened.id, lane.id) AS lane_id
      FROM wanted
      LEFT JOIN opened ON opened.organization_id = wanted.organization_id
       AND opened.host IS NOT DISTINCT FROM wanted.host AND opened.shard = wanted.shard
      LEFT JOIN lane ON lane.organization_id = wanted.organization_id
       AND lane.host IS NOT DISTINCT FROM wanted.host AND lane.shard = wanted.shard
)
INSERT INTO work (asset_id, lane_id, need, place, bytes)
SELECT id, lane_id, need, place, bytes FROM placed WHERE lane_id IS NOT NULL ORDER BY id
    ON CONFLICT (asset_id) DO UPDATE
   SET lane_id = excluded.lane_id, need = excluded.need, place = excluded.place, bytes = excluded.bytes
 WHERE (work.lane_id, work.need, work.place, work.bytes)
       IS DISTINCT FROM (excluded.lane_id, excluded.need, excluded.place, excluded.bytes)
RETURNING lane_id, bytes;
