-- Claim what was chosen for one node; the caller holds the lanes, the queue entries and the files locked, and has looked
-- at what is true of them. A place is taken at each host at which the node has none: a live place is nobody else's, the
-- primary key has the last word, and no file is claimed of a host that has none left. Who fetches takes the first free
-- slot of the fetches that are wanted, who copies the first one above; the unique index on live claims has the last word.
-- What nobody else may take leaves the queue, and so does what is `done`. A lane moves back by as many places as files
-- were taken from it (one if none was), times the lanes its organization has: organizations get equal shares,
-- whatever they have. What waits in it now is at its head, which an index gives.
WITH wish AS MATERIALIZED (
    SELECT wish.asset_id, wish.lane_id, wish.another, lane.host
      FROM unnest(CAST(:asset_ids AS bigint[]), CAST(:asset_lanes AS bigint[]), CAST(:others AS boolean[]))
           AS wish (asset_id, lane_id, another)
      JOIN lane ON lane.id = wish.lane_id
), had AS MATERIALIZED (
    SELECT DISTINCT slot.host
      FROM host_slot AS slot
     WHERE slot.host IN (SELECT host FROM wish) AND slot.holder = :holder AND slot.lease_until > clock_timestamp()
), free AS (
    SELECT asked.name AS host, free.number
      FROM (SELECT host.name, least(host.learned_connections, coalesce(host.connections, :connections)) AS most
              FROM host
             WHERE host.name IN (SELECT host FROM wish EXCEPT SELECT host FROM had)) AS asked
     CROSS JOIN LATERAL (
           SELECT number
             FROM generate_series(1, asked.most) AS number
            WHERE NOT EXISTS (SELECT FROM host_slot AS live
                               WHERE live.host = asked.name AND live.number = number.number
                                 AND live.lease_until > clock_timestamp())
            ORDER BY number
            LIMIT CASE WHEN (SELECT count(*) FROM host_slot AS live
                              WHERE live.host = asked.name AND live.lease_until > clock_timestamp()) < asked.most
                       THEN 1 ELSE 0 END) AS free
), placed AS (
    INSERT INTO host_slot AS slot (host, number, holder, lease_until)
    SELECT host, number, :holder, clock_timestamp() + make_interval(secs => :lease_seconds)
      FROM free
     ORDER BY host, number
        ON CONFLICT (host, number) DO UPDATE
       SET holder = excluded.holder, lease_until = excluded.lease_until
     WHERE slot.lease_until <= clock_timestamp()
    RETURNING host
), granted AS MATERIALIZED (
    SELECT wish.*
      FROM wish
     WHERE wish.host IS NULL OR wish.host IN (SELECT host FROM had UNION ALL SELECT host FROM placed)
), taken AS (
    INSERT INTO claim (asset_id, node_id, holder, purpose, slot, lease_until)
    SELECT granted.asset_id, :node_id, :holder, CASE WHEN granted.host IS NULL THEN 'copy' ELSE 'fetch' END,
           free.slot, now() + make_interval(secs => :lease_seconds)
      FROM granted
     CROSS JOIN LATERAL (
           SELECT number AS slot
             FROM generate_series(CASE WHEN granted.host IS NULL THEN :fetches + 1 ELSE 1 END,
                                  CASE WHEN granted.host IS NULL THEN :fetches + :wanted ELSE :fetches END) AS number
            WHERE NOT EXISTS (SELECT FROM claim
                               WHERE claim.asset_id = granted.asset_id AND claim.slot = number
                                 AND claim.state = 'held')
            ORDER BY number
            LIMIT 1) AS free
        ON CONFLICT DO NOTHING
    RETURNING token, asset_id, purpose, lease_until
), ended AS MATERIALIZED (
    SELECT asset_id FROM unnest(CAST(:done AS bigint[])) AS asset_id
     UNION ALL
    SELECT taken.asset_id FROM taken JOIN wish ON wish.asset_id = taken.asset_id WHERE NOT wish.another
), unqueued AS (
    DELETE FROM work USING ended WHERE work.asset_id = ended.asset_id
), turned AS (
    UPDATE lane
       SET turn = lane.turn + greatest(served.files, 1) * lane.siblings,
           waiting = head.need IS NOT NULL,
           need = coalesce(head.need, lane.need)
      FROM (SELECT lane_id, (SELECT count(*) FROM taken JOIN wish ON wish.asset_id = taken.asset_id
                              WHERE wish.lane_id = asked.lane_id) AS files
              FROM unnest(CAST(:lane_ids AS bigint[])) AS asked (lane_id)) AS served
      LEFT JOIN LATERAL (SELECT work.need FROM work
                          WHERE work.lane_id = served.lane_id
                            AND NOT EXISTS (SELECT FROM ended WHERE ended.asset_id = work.asset_id)
                          ORDER BY work.need DESC, work.place DESC, work.asset_id
                          LIMIT 1) AS head ON true
     WHERE lane.id = served.lane_id
)
SELECT taken.token, taken.asset_id, taken.purpose, taken.lease_until, asset.url, asset.host, asset.format,
       asset.media_type, asset.checksum, asset.expected_size,
       CASE WHEN taken.purpose = 'copy' THEN asset.sha256 END AS sha256,
       CASE WHEN taken.purpose = 'copy' THEN asset.size ELSE coalesce(asset.size, asset.expected_size) END AS size_bytes,
       priority.level AS priority, home.dataset_id, home.dataset_title, home.organization,
       -- include rulings
  FROM taken
  JOIN asset ON asset.id = taken.asset_id
  JOIN priority ON priority.asset_id = taken.asset_id
  LEFT JOIN LATERAL (
       SELECT dataset.id AS dataset_id, dataset.title AS dataset_title, organization.key AS organization
         FROM asset_resource
         JOIN resource ON resource.id = asset_resource.resource_id
         JOIN dataset ON dataset.id = resource.dataset_id
         JOIN organization ON organization.id = dataset.organization_id
        WHERE asset_resource.asset_id = asset.id
        ORDER BY dataset.id
        LIMIT 1) AS home ON true
 ORDER BY taken.token;
