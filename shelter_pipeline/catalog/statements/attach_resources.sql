-- Resources wait for their place to be explored; of one that was, they have the outcome at once. A file that is read
-- for links too is found already.
UPDATE resource
   SET exploration_id = exploration.id, classified_as = staged_place.kind, rule = staged_place.rule,
       repair = staged_place.repair, outcome_detail = exploration.detail,
       outcome = coalesce(exploration.outcome, CASE WHEN staged_place.kind IN ('file', 'archive') THEN resource.outcome END),
       discovered_at = CASE WHEN exploration.outcome IS NOT NULL THEN now() END
  FROM staged_place
  JOIN exploration USING (url_hash)
 WHERE resource.id = staged_place.resource_id;
