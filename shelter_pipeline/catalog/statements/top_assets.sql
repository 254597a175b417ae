-- What would be fetched first.
SELECT asset.id AS asset_id, asset.url, priority.level, round(priority.score::numeric, 4)::float AS score,
       organization.key AS organization,
       jsonb_strip_nulls(jsonb_build_object(
           'popularity', round(priority.popularity::numeric, 4), 'threat', round(priority.threat::numeric, 4),
           'relevance', round(priority.relevance::numeric, 4), 'scarcity', round(priority.scarcity::numeric, 4),
           'staleness', round(priority.staleness::numeric, 4), 'smallness', round(priority.smallness::numeric, 4),
           'completeness', round(priority.completeness::numeric, 4), 'boost', nullif(priority.boost, 0),
           'pinned', nullif(priority.pinned, false), 'level_set', priority.level_set)) AS reasons
  FROM priority
  JOIN asset ON asset.id = priority.asset_id
  LEFT JOIN organization ON organization.id = priority.organization_id
 WHERE asset.state = 'pending'
   AND NOT priority.excluded
   AND (CAST(:organization_id AS bigint) IS NULL OR priority.organization_id = :organization_id)
 ORDER BY priority.score DESC, asset.id
 LIMIT :limit;
