-- What this harvest found missing of each organization: set, not added, so that it may be recorded again.
INSERT INTO harvest_organization (harvest_id, organization_id, delisted, withheld)
SELECT :harvest_id, unseen.organization_id,
       count(*) FILTER (WHERE loss.evidence ->> 'absent_since' = CAST(:harvest_id AS text)) AS delisted,
       count(*) FILTER (WHERE loss.state = 'withheld') AS withheld
  FROM unseen
  JOIN loss ON loss.dataset_id = unseen.dataset_id AND loss.state IN ('withheld', 'suspected', 'confirmed')
 GROUP BY unseen.organization_id
HAVING bool_or(loss.state = 'withheld' OR loss.evidence ->> 'absent_since' = CAST(:harvest_id AS text))
    ON CONFLICT (harvest_id, organization_id) DO UPDATE
   SET delisted = excluded.delisted, withheld = excluded.withheld;
