-- What a node is to show of bytes that it reports. While it owes the same already, that is what it is asked for.
INSERT INTO proof (node_id, asset_id, sha256, size, kind, media_type, last_modified, nonce, ranges, deadline)
VALUES (:node_id, :asset_id, :sha256, :size, :kind, :media_type, :last_modified, :nonce, CAST(:ranges AS jsonb),
        now() + make_interval(secs => :seconds))
    ON CONFLICT (node_id, sha256, kind) WHERE state = 'open'
    DO UPDATE SET deadline = greatest(proof.deadline, excluded.deadline),
                  asset_id = coalesce(proof.asset_id, excluded.asset_id)
RETURNING id, kind, deadline;
