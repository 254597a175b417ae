-- A resource whose address changed since it was looked at has no outcome by what it was: it is due again.
WITH stale AS (
    DELETE FROM staged_outcome
     USING resource
     WHERE resource.id = staged_outcome.resource_id
       AND coalesce(resource.url, '') <> staged_outcome.listed
    RETURNING staged_outcome.resource_id
)
DELETE FROM staged_finding WHERE resource_id IN (SELECT resource_id FROM stale);
