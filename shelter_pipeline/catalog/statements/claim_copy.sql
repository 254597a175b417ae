-- A node says that it holds these bytes, of which we have a blob; that counts for nothing yet.
INSERT INTO copy (sha256, node_id, state, counts, verified_at)
VALUES (:sha256, :node_id, 'claimed', 0, to_timestamp(0))
    ON CONFLICT (sha256, store_id, node_id) DO UPDATE SET state = 'claimed', counts = 0, proved_by = NULL
 WHERE copy.state IN ('damaged', 'missing');
