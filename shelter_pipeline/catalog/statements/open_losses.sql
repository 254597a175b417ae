-- What was listed and is missing for the first time: withheld where a breaker tripped, suspected elsewhere.
INSERT INTO loss (portal_id, dataset_id, kind, state, harvest_id, evidence)
SELECT :portal_id, dataset_id, 'delisted', CASE WHEN breaker IS NULL THEN 'suspected' ELSE 'withheld' END, :harvest_id,
       jsonb_strip_nulls(jsonb_build_object(
           'harvests', jsonb_build_array(CAST(:harvest_id AS bigint)),
           'last_seen_by', last_seen_by,
           'asked', CASE WHEN asked THEN false END,
           'breaker', breaker,
           'absent_since', CASE WHEN breaker IS NULL THEN CAST(:harvest_id AS bigint) END))
  FROM (SELECT unseen.*, coalesce(tripped.key, CASE WHEN :everywhere THEN 'portal' END) AS breaker
          FROM unseen
          LEFT JOIN organization AS tripped
            ON tripped.id = unseen.organization_id AND tripped.id = ANY (:organizations)
         WHERE unseen.was_listed) AS missing
 WHERE NOT EXISTS (SELECT FROM loss
                    WHERE loss.dataset_id = missing.dataset_id
                      AND loss.state IN ('withheld', 'suspected', 'confirmed'))
    ON CONFLICT DO NOTHING;
