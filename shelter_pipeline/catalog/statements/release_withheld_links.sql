-- A person says that this failure of many links is real: they are suspected, misses and all.
UPDATE loss
   SET state = 'suspected',
       evidence = (evidence - 'breaker') || jsonb_build_object('decisions', coalesce(evidence -> 'decisions', '[]')
           || jsonb_build_array(jsonb_build_object('state', 'suspected', 'who', CAST(:who AS text),
                                                   'why', CAST(:why AS text), 'at', now())))
  FROM portal
 WHERE portal.id = loss.portal_id
   AND loss.asset_id IS NOT NULL
   AND loss.state = 'withheld'
   AND (CAST(:organization AS text) IS NULL OR loss.evidence ->> 'breaker' = :organization)
   AND (CAST(:portal AS text) IS NULL OR portal.slug = :portal);
