-- A node gets nothing more, or may help again; the decision joins what is told of it. Trust is not touched.
-- No row if there is no such node.
WITH decided AS (
    UPDATE node
       SET blocked = :blocked, blocked_why = CASE WHEN :blocked THEN CAST(:why AS text) END
     WHERE name = :name
    RETURNING id, name, version, trust, max_claims, blocked, blocked_why, last_seen_at, signed_off_at
), told AS (
    INSERT INTO node_event (node_id, kind, detail, trust_before, trust_after)
    SELECT id, CASE WHEN :blocked THEN 'blocked' ELSE 'unblocked' END, :detail, trust, trust FROM decided
)
SELECT id, name, version, trust, max_claims, blocked, blocked_why, last_seen_at, signed_off_at FROM decided;
