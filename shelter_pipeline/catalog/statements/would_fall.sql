-- The files whose scores would go most down, with every part before and after.
SELECT asset.url, priority.level AS level_before, staged_score.level AS level_after,
       round(priority.score::numeric, 4)::float AS before, round(staged_score.score::numeric, 4)::float AS after,
       jsonb_build_object(
           'popularity', staged_score.popularity - priority.popularity, 'threat', staged_score.threat - priority.threat,
           'relevance', staged_score.relevance - priority.relevance, 'scarcity', staged_score.scarcity - priority.scarcity,
           'staleness', staged_score.staleness - priority.staleness,
           'smallness', staged_score.smallness - priority.smallness,
           'completeness', staged_score.completeness - priority.completeness) AS changes
  FROM staged_score
  JOIN priority ON priority.asset_id = staged_score.asset_id
  JOIN asset ON asset.id = staged_score.asset_id
 WHERE staged_score.score < priority.score
 ORDER BY staged_score.score - priority.score ASC, asset.id
 LIMIT :limit;
