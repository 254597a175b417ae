-- How the files of each organization would move, the most moved first.
SELECT organization.key AS organization, count(*) FILTER (WHERE moved.after > moved.before) AS rising,
       count(*) FILTER (WHERE moved.after < moved.before) AS falling,
       round(avg(moved.after - moved.before)::numeric, 4)::float AS mean_change
  FROM (SELECT staged_score.organization_id, coalesce(priority.score, 0) AS before, staged_score.score AS after
          FROM staged_score
          LEFT JOIN priority ON priority.asset_id = staged_score.asset_id) AS moved
  JOIN organization ON organization.id = moved.organization_id
 WHERE moved.before <> moved.after
 GROUP BY organization.key
 ORDER BY sum(abs(moved.after - moved.before)) DESC, organization.key
 LIMIT :limit;
