-- Stand-in for part B: live claims of this node get a fresh lease.
UPDATE claim SET lease_until = now() + make_interval(secs => :lease_seconds)
 WHERE token = ANY(:tokens) AND node_id = :node_id AND state = 'held' AND lease_until > now()
RETURNING token;
