-- The ids of all organizations that fit, in the order of one column: a few thousand at most, of which a page is cut.
-- What was never counted stands at the end; equal ones stand in the order of their names.
SELECT found.id
  FROM (SELECT organization.id, lower(organization.name) AS name,
               CASE CAST(:sort AS text)
                    WHEN 'verdict' THEN CAST(array_position(CAST(:verdicts AS text[]), standing.verdict) AS float)
                    WHEN 'datasets' THEN standing.datasets
                    WHEN 'absent' THEN standing.absent_datasets
                    WHEN 'files' THEN standing.expected_files
                    WHEN 'share' THEN CAST(standing.held_files AS float) / nullif(standing.expected_files, 0)
                    WHEN 'bytes' THEN standing.held_bytes
                    WHEN 'failed' THEN (SELECT sum(CAST(value AS bigint)) FROM jsonb_each_text(standing.failed))
               END AS amount
          FROM organization
          JOIN portal ON portal.id = organization.portal_id
          LEFT JOIN organization_summary AS standing ON standing.organization_id = organization.id
         WHERE (CAST(:portal AS text) IS NULL OR portal.slug = :portal)
           AND (CAST(:verdict AS text) IS NULL OR standing.verdict = :verdict)
           AND NOT EXISTS (SELECT FROM unnest(CAST(:words AS text[])) AS word
                            WHERE strpos(lower(organization.name || ' ' || organization.key), word) = 0)) AS found
 ORDER BY CASE WHEN :falling THEN found.amount END DESC NULLS LAST,
          CASE WHEN NOT :falling THEN found.amount END ASC NULLS LAST,
          CASE WHEN :falling AND CAST(:sort AS text) = 'name' THEN found.name END DESC,
          found.name, found.id;
