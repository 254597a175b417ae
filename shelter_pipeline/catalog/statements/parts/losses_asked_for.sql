-- Conditions on a `loss` and its `portal`, each of which holds where it is not asked for.
       (CAST(:before AS bigint) IS NULL OR loss.id < :before)
   AND loss.state = ANY (CAST(:states AS text[]))
   AND (CAST(:kind AS text) IS NULL OR loss.kind = :kind)
   AND (CAST(:portal AS text) IS NULL OR portal.slug = :portal)
   AND (CAST(:holding AS text) IS NULL OR :holding = (SELECT holding FROM
-- include holding_of_loss
        AS held))
