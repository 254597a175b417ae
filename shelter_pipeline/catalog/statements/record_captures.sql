-- What happened is kept, late or not: captures are only ever added.
INSERT INTO capture (asset_id, batch_id, token, late, verdict, reason, detail, final_url, status, heads,
                     flags, requests, wire_bytes, sha256, size, started_at, finished_at)
SELECT given.asset_id, given.batch_id, given.token, given.token <> ALL (:settled), given.verdict,
       given.reason, given.detail, given.final_url, given.status, given.heads, given.flags, given.requests,
       given.wire_bytes, given.sha256, given.size, given.started_at, given.finished_at
  FROM jsonb_to_recordset(CAST(:rows AS jsonb))
       AS given (asset_id bigint, batch_id bigint, token bigint, verdict text, reason text,
                 detail text, final_url text, status integer, heads jsonb, flags text[], requests integer,
                 wire_bytes bigint, sha256 text, size bigint, started_at timestamptz, finished_at timestamptz)
 ORDER BY given.token;
