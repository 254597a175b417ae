-- A person's word on open losses, kept as evidence. What is confirmed is absent; what is dismissed is listed, until a
-- further complete harvest misses it again.
WITH decided AS (
    UPDATE loss
       SET state = :state, decided_at = now(),
           kind = CASE WHEN CAST(:state AS text) = 'dismissed' AND dataset_id IS NOT NULL
                       THEN 'harvest-fault' ELSE kind END,
           moved_to_id = CASE WHEN CAST(:state AS text) = 'dismissed' THEN NULL ELSE moved_to_id END,
           evidence = evidence || jsonb_build_object('decisions', coalesce(evidence -> 'decisions', '[]')
               || jsonb_build_array(jsonb_build_object('state', CAST(:state AS text), 'who', CAST(:who AS text),
                                                       'why', CAST(:why AS text), 'at', now())))
     WHERE id = ANY (:loss_ids)
       AND (state IN ('withheld', 'suspected') OR (state = 'confirmed' AND CAST(:state AS text) = 'dismissed'))
    RETURNING id, dataset_id
), marked AS (
    UPDATE dataset
       SET state = CASE WHEN CAST(:state AS text) = 'dismissed' THEN 'listed' ELSE 'absent' END
      FROM decided
     WHERE dataset.id = decided.dataset_id
)
SELECT id FROM decided;
