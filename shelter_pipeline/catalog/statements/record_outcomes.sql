-- The resource has been looked at: a passing outcome leaves it due, else only a changed address or promise does.
UPDATE resource
   SET classified_as = staged_outcome.classified_as, rule = staged_outcome.rule,
       outcome = staged_outcome.outcome, outcome_detail = staged_outcome.detail,
       discovered_at = CASE WHEN staged_outcome.passing THEN NULL ELSE now() END
  FROM staged_outcome
 WHERE resource.id = staged_outcome.resource_id;
