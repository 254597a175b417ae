-- Lanes that were put into: they wait, at their best need. One that had nothing before joins where the others are, and
-- has no turns saved up. Lanes are locked in one order, and waited for: an allocation is short, and waits for none.
-- `least_bytes` is no more than the smallest file in it; it may be less.
WITH put AS MATERIALIZED (
    SELECT put.lane_id, min(put.bytes) AS bytes
      FROM unnest(CAST(:lane_ids AS bigint[]), CAST(:bytes AS bigint[])) AS put (lane_id, bytes)
     GROUP BY put.lane_id
), named AS MATERIALIZED (
    SELECT lane.id, put.bytes
      FROM lane
      JOIN put ON put.lane_id = lane.id
     ORDER BY lane.id
       FOR UPDATE OF lane
), front AS MATERIALIZED (
    SELECT min(turn) AS turn FROM lane WHERE waiting
)
UPDATE lane
   SET waiting = head.need IS NOT NULL,
       need = coalesce(head.need, lane.need),
       least_bytes = CASE WHEN lane.waiting THEN least(lane.least_bytes, named.bytes) ELSE named.bytes END,
       turn = CASE WHEN lane.waiting THEN lane.turn ELSE greatest(lane.turn, coalesce(front.turn, 0)) END
  FROM named
 CROSS JOIN front
  LEFT JOIN LATERAL (SELECT work.need FROM work
                      WHERE work.lane_id = named.id
                      ORDER BY work.need DESC, work.place DESC, work.asset_id
                      LIMIT 1) AS head ON true
 WHERE lane.id = named.id;
