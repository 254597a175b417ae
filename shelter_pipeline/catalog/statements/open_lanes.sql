-- What a node may be given now: lanes by the best need and then by turn, and the first files in each, all locked until
-- the allocation ends. What others have locked is passed over, and nothing waits. A host at rest, one whose robots.txt
-- cannot be had, and one that has all its places with others is passed over too. A row without a file stands for its
-- lane. Of each file is told what is true now: `wanted`, whether anybody may still take it, `another`, whether somebody
-- else may too, and `mine`, whether this node is at it or, where others are to say the same independently, it or another
-- of its network was. What a node lately reported, or found to be wrong with its source, is for others: it is not even
-- an offer. A file that we hold on one node's word is wanted for a second look by a node of another network.
-- Files in equal need in our own store are as good as one another, so nodes begin there at different places.
WITH open_lane AS MATERIALIZED (
    SELECT lane.id, lane.host, lane.need, lane.turn,
           host.connections, host.delay_seconds, host.learned_connections, host.learned_delay_seconds,
           host.latency_seconds, host.crawl_delay_seconds,
           coalesce(host.robots, :robots) = 'obey'
           AND EXISTS (SELECT FROM host_robots
                        WHERE host_robots.host = lane.host AND host_robots.state = 'rules') AS has_rules
      FROM lane
      LEFT JOIN host ON host.name = lane.host
     WHERE lane.waiting
       AND lane.least_bytes <= :most_bytes
       AND (lane.host IS NULL) = ANY (CAST(:from_store AS boolean[]))
       AND lane.id <> ALL (CAST(:barren AS bigint[]))
       AND (coalesce(lane.closed_until <= now(), true)
            OR lane.host IN (SELECT mine.host FROM host_slot AS mine WHERE mine.holder = :holder))
       AND coalesce(host.rest_until <= now(), true)
       AND (lane.host IS NULL
            OR (SELECT count(*) FROM host_slot
                 WHERE host_slot.host = lane.host AND host_slot.holder <> :holder
                   AND host_slot.lease_until > clock_timestamp())
               < least(host.learned_connections, coalesce(host.connections, :connections)))
       AND (coalesce(host.robots, :robots) <> 'obey'
            OR NOT EXISTS (SELECT FROM host_robots
                            WHERE host_robots.host = lane.host AND host_robots.state = 'failing'
                              AND host_robots.fresh_until > now()))
     ORDER BY lane.need DESC, lane.turn, lane.id
     LIMIT :lanes
       FOR UPDATE OF lane SKIP LOCKED
), fetch_offer AS MATERIALIZED (
    SELECT offer.*, asset.url,
           (asset.state = 'pending' OR doubt.is_wanted) AND asset.next_attempt_at <= now() AND NOT priority.excluded
           AND batch.state IS DISTINCT FROM 'running' AND NOT here.in_batch
           AND here.fetching < CASE WHEN asset.state = 'pending' THEN :fetches ELSE 1 END AS wanted,
           asset.state = 'pending' AND here.fetching + 1 < :fetches AS another,
           here.mine OR coalesce(doubt.is_own, false)
           OR (:fetches > 1 AND EXISTS (SELECT FROM capture
                                          JOIN node AS other ON other.id = capture.node_id
                                         WHERE capture.asset_id = asset.id
                                           AND (other.id = :node_id OR other.network = asking.network)))
               AS mine,
           batch.state IS NOT DISTINCT FROM 'planned' AS planned
      FROM (SELECT work.*
              FROM open_lane
             CROSS JOIN LATERAL (
                   SELECT *
                     FROM work
                    WHERE work.lane_id = open_lane.id
                      AND work.bytes <= :most_bytes
                      AND (SELECT count(*)
                             FROM capture
                            WHERE capture.asset_id = work.asset_id AND capture.node_id = :node_id AND NOT capture.late
                              AND (capture.reason = 'unproved' OR capture.verdict NOT IN ('transient', 'stored', 'unchanged'))
                              AND capture.finished_at
                                  > now() - CASE WHEN capture.reason = 'unproved' THEN interval '7 days'
                                                 ELSE interval '1 day' END) = 0
                    ORDER BY work.need DESC, work.place DESC, work.asset_id
                    LIMIT :offers
                      FOR UPDATE SKIP LOCKED) AS work
             WHERE open_lane.host IS NOT NULL) AS offer
      JOIN asset ON asset.id = offer.asset_id
      JOIN priority ON priority.asset_id = offer.asset_id
      JOIN node AS asking ON asking.id = :node_id
      LEFT JOIN batch ON batch.id = asset.batch_id AND batch.state IN ('planned', 'running')
     CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE claim.purpose = 'fetch') AS fetching,
                  coalesce(bool_or(claim.purpose = 'fetch' AND claim.node_id IS NULL), false) AS in_batch,
                  coalesce(bool_or(claim.node_id = :node_id
                                   OR (:fetches > 1 AND claim.purpose = 'fetch'
                                       AND (SELECT other.network FROM node AS other WHERE other.id = claim.node_id)
                                           = asking.network)), false) AS mine
             FROM claim
            WHERE claim.asset_id = asset.id AND claim.state = 'held') AS here
     CROSS JOIN LATERAL (
           SELECT coalesce(bool_or(testimony.wanted), false) AS is_wanted,
                  bool_or(teller.id = :node_id OR teller.network = asking.network) AS is_own
             FROM testimony
             JOIN node AS teller ON teller.id = testimony.node_id
            WHERE testimony.asset_id = asset.id AND testimony.sha256 = asset.sha256 AND testimony.finding = 'open'
              AND asset.state = 'held') AS doubt
       FOR UPDATE OF asset SKIP LOCKED
), copy_offer AS MATERIALIZED (
    SELECT offer.*, asset.url,
           asset.state = 'held' AND here.stored AND here.copies + here.copying < :wanted AS wanted,
           here.copies + here.copying + 1 < :wanted AS another,
           here.mine OR EXISTS (SELECT FROM copy
                                 WHERE copy.sha256 = asset.sha256 AND copy.node_id = :node_id
                                   AND copy.state IN ('claimed', 'good')) AS mine
      FROM (SELECT work.*
              FROM open_lane
             CROSS JOIN LATERAL (
                   SELECT *
                     FROM work
                    WHERE work.lane_id = open_lane.id
                      AND work.need = open_lane.need
                      AND work.place <= :begin
                      AND work.bytes <= :most_bytes
                    ORDER BY work.place DESC, work.asset_id
                    LIMIT :offers
                      FOR UPDATE SKIP LOCKED) AS work
             WHERE open_lane.host IS NULL) AS offer
      JOIN asset ON asset.id = offer.asset_id
     CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE claim.purpose = 'copy') AS copying,
                  coalesce(bool_or(claim.node_id = :node_id), false) AS mine,
                  (SELECT coalesce(sum(copy.counts), 0) FROM copy
                    WHERE copy.sha256 = asset.sha256 AND copy.state = 'good') AS copies,
                  EXISTS (SELECT FROM copy
                           WHERE copy.sha256 = asset.sha256 AND copy.state = 'good' AND copy.store_id IS NOT NULL)
                      AS stored
             FROM claim
            WHERE claim.asset_id = asset.id AND claim.state = 'held') AS here
       FOR UPDATE OF asset SKIP LOCKED
)
SELECT open_lane.*, (SELECT count(*) FROM claim WHERE claim.node_id = :node_id AND claim.state = 'held') AS claims,
       offer.asset_id, offer.need AS file_need, offer.bytes, offer.url, offer.wanted, offer.another, offer.mine,
       offer.planned
  FROM open_lane
  LEFT JOIN (SELECT lane_id, asset_id, need, place, bytes, url, wanted, another, mine, planned FROM fetch_offer
              UNION ALL
             SELECT lane_id, asset_id, need, place, bytes, url, wanted, another, mine, false FROM copy_offer) AS offer
    ON offer.lane_id = open_lane.id
 ORDER BY open_lane.need DESC, open_lane.turn, open_lane.id, offer.need DESC, offer.place DESC, offer.asset_id;
