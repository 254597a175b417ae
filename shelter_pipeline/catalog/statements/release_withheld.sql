-- A person says that this mass drop is real: its datasets are absent and their losses suspected, misses and all.
WITH released AS (
    UPDATE loss
       SET state = 'suspected',
           evidence = (evidence - 'breaker') || jsonb_build_object('decisions', coalesce(evidence -> 'decisions', '[]')
               || jsonb_build_array(jsonb_build_object('state', 'suspected', 'who', CAST(:who AS text),
                                                       'why', CAST(:why AS text), 'at', now())))
      FROM dataset
      JOIN organization ON organization.id = dataset.organization_id
      JOIN portal ON portal.id = dataset.portal_id
     WHERE loss.dataset_id = dataset.id
       AND loss.state = 'withheld'
       AND (CAST(:organization AS text) IS NULL OR organization.key = :organization)
       AND (CAST(:portal AS text) IS NULL OR portal.slug = :portal)
    RETURNING dataset.id
)
UPDATE dataset SET state = 'absent' FROM released WHERE dataset.id = released.id;
