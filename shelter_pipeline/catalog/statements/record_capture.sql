-- What happened is kept, late or not: captures are only ever added.
INSERT INTO capture (asset_id, batch_id, token, late, verdict, reason, detail, final_url, status, heads, flags,
                     requests, wire_bytes, sha256, size, started_at, finished_at)
VALUES (:asset_id, :batch_id, :token, :late, :verdict, :reason, :detail, :final_url, :status,
        CAST(:heads AS jsonb), :flags, :requests, :wire_bytes, :sha256, :size,
        CAST(:started_at AS timestamptz), CAST(:finished_at AS timestamptz));
