-- A node's copy has been proved just now; of no other kind is a good one made.
INSERT INTO copy (sha256, node_id, state, proved_by, counts)
VALUES (:sha256, :node_id, 'good', :proved_by, 1)
    ON CONFLICT (sha256, store_id, node_id)
    DO UPDATE SET state = 'good', proved_by = excluded.proved_by, counts = 1, verified_at = now();
