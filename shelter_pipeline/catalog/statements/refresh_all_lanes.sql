-- Every lane as the queue says: whether something waits in it, how much it is in need, how small the smallest is. One
-- that had nothing before joins where the others are. Lanes are locked in one order, and briefly.
WITH held AS MATERIALIZED (
    SELECT lane_id, max(need) AS need, min(bytes) AS bytes FROM work GROUP BY lane_id
), front AS MATERIALIZED (
    SELECT min(turn) AS turn FROM lane WHERE waiting
), changed AS MATERIALIZED (
    SELECT lane.id, held.need, held.bytes
      FROM lane
      LEFT JOIN held ON held.lane_id = lane.id
     WHERE (lane.waiting, lane.need, lane.least_bytes)
           IS DISTINCT FROM (held.need IS NOT NULL, coalesce(held.need, lane.need), coalesce(held.bytes, 0))
     ORDER BY lane.id
       FOR UPDATE OF lane
)
UPDATE lane
   SET waiting = changed.need IS NOT NULL,
       need = coalesce(changed.need, lane.need),
       least_bytes = coalesce(changed.bytes, 0),
       turn = CASE WHEN lane.waiting THEN lane.turn ELSE greatest(lane.turn, coalesce(front.turn, 0)) END
  FROM changed
 CROSS JOIN front
 WHERE lane.id = changed.id;
