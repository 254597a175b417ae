-- The nodes that reported the same bytes of a file, not late, and are not blocked.
SELECT DISTINCT capture.node_id
  FROM capture
  JOIN node ON node.id = capture.node_id AND NOT node.blocked
 WHERE capture.asset_id = :asset_id
   AND capture.reason = 'unproved'
   AND NOT capture.late
   AND capture.finished_at > now() - make_interval(days => :days)
   AND capture.sha256 = :sha256
   AND capture.size = :size
 ORDER BY capture.node_id;
