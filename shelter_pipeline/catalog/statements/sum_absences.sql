-- What this harvest found missing, and what was made of it.
SELECT count(*) FILTER (WHERE unseen.was_listed) AS missing,
       count(*) FILTER (WHERE loss.state = 'suspected'
                          AND loss.evidence ->> 'absent_since' = CAST(:harvest_id AS text)) AS suspected,
       count(*) FILTER (WHERE loss.state = 'withheld') AS withheld,
       count(*) FILTER (WHERE loss.evidence ->> 'confirmed_by' = CAST(:harvest_id AS text)) AS confirmed,
       count(*) FILTER (WHERE loss.evidence ->> 'moved_by' = CAST(:harvest_id AS text)) AS moved
  FROM unseen
  JOIN loss ON loss.dataset_id = unseen.dataset_id AND loss.state IN ('withheld', 'suspected', 'confirmed');
