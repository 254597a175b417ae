-- A batch of which a manifest tells has ended: nothing waits in it, and its key and number are given to no other.
INSERT INTO batch (key, organization_id, host, number, state, attempt, files, bytes, planned_at)
VALUES (:key, :organization_id, :host, :number, 'done', :attempt, :files, :bytes, :planned_at)
    ON CONFLICT DO NOTHING;
