-- A node is sent away for its lies, and an event says so; an operator may let it in again.
WITH changed AS (
    UPDATE node SET blocked = true, blocked_why = :why WHERE id = :node_id AND NOT blocked RETURNING id, trust
)
INSERT INTO node_event (node_id, kind, detail, trust_before, trust_after)
SELECT id, 'blocked', :why, trust, trust FROM changed;
