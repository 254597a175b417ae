-- How many files would move from which level to which; those without a score yet have none before.
SELECT priority.level AS before, staged_score.level AS after, count(*) AS files
  FROM staged_score
  LEFT JOIN priority ON priority.asset_id = staged_score.asset_id
 WHERE priority.level IS DISTINCT FROM staged_score.level
 GROUP BY priority.level, staged_score.level
 ORDER BY priority.level DESC NULLS LAST, staged_score.level DESC;
