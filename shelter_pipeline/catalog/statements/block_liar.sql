-- A node is sent away for its lies, and an event says so; an operator may let it in again. Its claims go back at once, but
-- those that somebody is just at: they run out, as it may renew none.
WITH changed AS (
    UPDATE node SET blocked = true, blocked_why = :why WHERE id = :node_id AND NOT blocked RETURNING id, trust
), mine AS MATERIALIZED (
    SELECT claim.token
      FROM changed
      JOIN claim ON claim.node_id = changed.id AND claim.state = 'held'
     ORDER BY claim.token
       FOR UPDATE OF claim SKIP LOCKED
), released AS (
    UPDATE claim SET state = 'released', ended_at = now() FROM mine WHERE claim.token = mine.token
)
INSERT INTO node_event (node_id, kind, detail, trust_before, trust_after)
SELECT id, 'blocked', :why, trust, trust FROM changed;
