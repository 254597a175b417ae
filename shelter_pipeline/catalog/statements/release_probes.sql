-- What a run has taken and will not probe is anybody's again.
UPDATE probe
   SET taken_until = NULL
  FROM (SELECT asset_id FROM probe WHERE asset_id = ANY (:asset_ids) ORDER BY asset_id FOR UPDATE) AS own
 WHERE probe.asset_id = own.asset_id;
