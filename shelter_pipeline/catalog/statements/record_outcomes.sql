-- The resource has been looked at: only a changed address or promise makes it due again.
UPDATE resource
   SET classified_as = staged_outcome.classified_as, rule = staged_outcome.rule, repair = staged_outcome.repair,
       outcome = staged_outcome.outcome, outcome_detail = staged_outcome.detail,
       exploration_id = NULL, discovered_at = now()
  FROM staged_outcome
 WHERE resource.id = staged_outcome.resource_id;
