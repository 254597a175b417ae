-- A node's trust changes only with an event that says why.
WITH changed AS (
    UPDATE node SET trust = :after WHERE id = :node_id
)
INSERT INTO node_event (node_id, kind, asset_id, sha256, detail, trust_before, trust_after)
VALUES (:node_id, :kind, :asset_id, :sha256, :detail, :before, :after);
