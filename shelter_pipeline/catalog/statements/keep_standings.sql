-- Where organizations stand, as just counted; rows that say the same are only dated.
INSERT INTO organization_summary (organization_id, verdict, datasets, absent_datasets, expected_files, held_files,
                                  held_bytes, waiting_files, resting_files, undiscovered, failed, not_files)
SELECT organization.id, verdict, datasets, absent_datasets, expected_files, held_files, held_bytes, waiting_files,
       resting_files, undiscovered, failed, not_files
  FROM jsonb_to_recordset(CAST(:standings AS jsonb))
       AS counted (organization text, verdict text, datasets bigint, absent_datasets bigint, expected_files bigint,
                   held_files bigint, held_bytes bigint, waiting_files bigint, resting_files bigint,
                   undiscovered bigint, failed jsonb, not_files jsonb)
  JOIN organization ON organization.key = counted.organization
    ON CONFLICT (organization_id) DO UPDATE
   SET verdict = excluded.verdict, datasets = excluded.datasets, absent_datasets = excluded.absent_datasets,
       expected_files = excluded.expected_files, held_files = excluded.held_files, held_bytes = excluded.held_bytes,
       waiting_files = excluded.waiting_files, resting_files = excluded.resting_files,
       undiscovered = excluded.undiscovered, failed = excluded.failed, not_files = excluded.not_files,
       counted_at = excluded.counted_at;
