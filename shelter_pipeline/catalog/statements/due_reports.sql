-- Organizations whose report is no longer true: at once when nothing runs any more or a person asks, else when the last
-- report is old enough, for while batches run it changes with every file. Those that waited longest first.
WITH work AS (
    SELECT organization_id,
           bool_or(state = 'running') AS running,
           bool_or(state = 'running' OR finished_at IS NULL) AS under_way,
           max(greatest(planned_at, finished_at)) AS changed_at
      FROM batch
     GROUP BY organization_id
)
SELECT organization.key
  FROM organization
  LEFT JOIN work ON work.organization_id = organization.id
 WHERE organization.asked_at > coalesce(organization.reported_at, '-infinity')
    OR (work.organization_id IS NOT NULL AND organization.reported_at IS NULL)
    OR (work.changed_at > organization.reported_at AND NOT work.under_way)
    OR ((work.running OR work.changed_at > organization.reported_at)
        AND organization.reported_at < now() - make_interval(secs => :rest_seconds))
 ORDER BY organization.reported_at NULLS FIRST, organization.id
 LIMIT :most;
