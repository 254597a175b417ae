-- Resources wait for their place to be explored; of one that was, they have the outcome at once.
UPDATE resource
   SET exploration_id = exploration.id, classified_as = staged_place.kind, rule = staged_place.rule,
       repair = staged_place.repair, outcome = exploration.outcome, outcome_detail = exploration.detail,
       discovered_at = CASE WHEN exploration.outcome IS NOT NULL THEN now() END
  FROM staged_place
  JOIN exploration USING (url_hash)
 WHERE resource.id = staged_place.resource_id;
