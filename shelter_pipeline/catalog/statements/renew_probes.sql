-- What a run has taken stays its own for a while longer; what somebody else has probed meanwhile does not come back.
UPDATE probe
   SET taken_until = now() + make_interval(secs => :lease_seconds)
  FROM (SELECT asset_id FROM probe WHERE asset_id = ANY (:asset_ids) AND taken_until IS NOT NULL
         ORDER BY asset_id FOR UPDATE) AS own
 WHERE probe.asset_id = own.asset_id;
