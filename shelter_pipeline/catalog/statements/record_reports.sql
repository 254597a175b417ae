-- What nodes report is kept, late or not: captures are only ever added. A node's clock counts only within the time for
-- which it had the claim.
INSERT INTO capture (asset_id, node_id, token, late, verdict, reason, detail, final_url, status, heads, flags, requests,
                     wire_bytes, sha256, size, started_at, finished_at)
SELECT given.asset_id, :node_id, given.token, given.late, given.verdict, given.reason, given.detail, given.final_url,
       given.status, given.heads, given.flags, given.requests, given.wire_bytes, given.sha256, given.size, begun.at,
       least(greatest(coalesce(given.finished_at, now()), begun.at), now())
  FROM jsonb_to_recordset(CAST(:rows AS jsonb))
       AS given (asset_id bigint, token bigint, late boolean, verdict text, reason text, detail text, final_url text,
                 status integer, heads jsonb, flags text[], requests integer, wire_bytes bigint, sha256 text,
                 size bigint, started_at timestamptz, finished_at timestamptz)
  JOIN claim ON claim.token = given.token
 CROSS JOIN LATERAL (SELECT least(greatest(coalesce(given.started_at, claim.claimed_at), claim.claimed_at), now()))
       AS begun (at)
 ORDER BY given.token;
