-- Challenges for many copies; one that is open already stays the only one.
INSERT INTO proof (node_id, sha256, size, kind, nonce, ranges, deadline)
SELECT given.node_id, given.sha256, given.size, 'challenge', decode(given.nonce, 'hex'), given.ranges,
       now() + make_interval(secs => :seconds)
  FROM jsonb_to_recordset(CAST(:rows AS jsonb))
       AS given (node_id bigint, sha256 text, size bigint, nonce text, ranges jsonb)
    ON CONFLICT (node_id, sha256, kind) WHERE state = 'open' DO NOTHING;
