-- How places stand: the outcome goes to each of their resources. A round that has ended is followed by another, sooner
-- where something changed and later where nothing did.
WITH concluded AS (
    UPDATE exploration
       SET outcome = CASE WHEN staged.concluded THEN staged.outcome ELSE exploration.outcome END,
           detail = CASE WHEN staged.concluded THEN staged.detail ELSE exploration.detail END,
           concluded_at = CASE WHEN staged.concluded THEN now() ELSE exploration.concluded_at END,
           state = CASE WHEN staged.ended THEN 'ended' ELSE exploration.state END,
           interval_hours = new.hours,
           due_at = CASE WHEN staged.ended THEN now() + new.hours * interval '1 hour'
                         WHEN staged.concluded THEN now() + coalesce(staged.rest, interval '0')
                         ELSE exploration.due_at END,
           taken_until = CASE WHEN staged.concluded THEN NULL ELSE now() + :lease END
      FROM staged_exploration AS staged
      JOIN exploration AS old ON old.id = staged.id
     CROSS JOIN LATERAL (
           SELECT CASE WHEN NOT staged.ended OR old.round = 1 THEN old.interval_hours
                       WHEN old.changed THEN greatest(old.interval_hours / 2, :shortest_hours)
                       ELSE least(old.interval_hours * 2, :longest_hours)
                   END AS hours
     ) AS new
     WHERE exploration.id = staged.id
    RETURNING exploration.id, exploration.outcome, exploration.detail, staged.concluded
)
UPDATE resource
   SET outcome = concluded.outcome, outcome_detail = concluded.detail, discovered_at = now()
  FROM concluded
 WHERE concluded.concluded
   AND resource.exploration_id = concluded.id;
