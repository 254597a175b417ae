-- Organizations by their ids, in the order asked for, each as it stood when it was last counted.
SELECT organization.id, organization.key AS organization, organization.slug, organization.name, organization.kind,
       portal.slug AS portal, organization.claimed_datasets, standing.verdict,
       coalesce(standing.datasets, 0) AS datasets, coalesce(standing.absent_datasets, 0) AS absent_datasets,
       coalesce(standing.expected_files, 0) AS expected_files, coalesce(standing.held_files, 0) AS held_files,
       coalesce(standing.held_bytes, 0) AS held_bytes, coalesce(standing.waiting_files, 0) AS waiting_files,
       coalesce(standing.resting_files, 0) AS resting_files, coalesce(standing.undiscovered, 0) AS undiscovered,
       coalesce(standing.failed, '{}'::jsonb) AS failed, coalesce(standing.not_files, '{}'::jsonb) AS not_files,
       standing.counted_at
  FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS wanted (id, place)
  JOIN organization ON organization.id = wanted.id
  JOIN portal ON portal.id = organization.portal_id
  LEFT JOIN organization_summary AS standing ON standing.organization_id = organization.id
 ORDER BY wanted.place;
