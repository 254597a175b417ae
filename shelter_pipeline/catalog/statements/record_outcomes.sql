-- The resource has been looked at; only a changed address or promise makes it due again.
UPDATE resource
   SET classified_as = staged_outcome.classified_as, rule = staged_outcome.rule,
       outcome = staged_outcome.outcome, outcome_detail = staged_outcome.detail, discovered_at = now()
  FROM staged_outcome
 WHERE resource.id = staged_outcome.resource_id;
