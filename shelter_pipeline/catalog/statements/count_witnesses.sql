-- How many independent nodes reported the same of these files in the last days, this node itself included: the same
-- reason, and where a hash is given the same bytes. Nodes of one network are one witness, if their network is known;
-- a blocked node is none. Evidence that came late does not count.
SELECT given.token,
       1 + (SELECT count(DISTINCT coalesce(encode(node.network, 'hex'), 'node ' || node.id))
              FROM capture
              JOIN node ON node.id = capture.node_id
              JOIN node AS asker ON asker.id = :node_id
             WHERE capture.asset_id = given.asset_id
               AND capture.reason = given.reason
               AND NOT capture.late
               AND capture.finished_at > now() - make_interval(days => :days)
               AND (given.sha256 IS NULL OR (capture.sha256 = given.sha256 AND capture.size = given.size))
               AND node.id <> asker.id
               AND NOT node.blocked
               AND (node.network IS NULL OR asker.network IS NULL OR node.network <> asker.network)) AS witnesses
  FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (token bigint, asset_id bigint, reason text, sha256 text,
                                                          size bigint);
