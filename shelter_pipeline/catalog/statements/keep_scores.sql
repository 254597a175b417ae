-- The scores that are not what they were, and no others, in one order for all writers.
INSERT INTO priority (asset_id, score, level, excluded, organization_id, popularity, threat, relevance, scarcity,
                      staleness, smallness, completeness, boost, pinned, level_set)
SELECT asset_id, score, level, excluded, organization_id, popularity, threat, relevance, scarcity, staleness, smallness,
       completeness, boost, pinned, level_set
  FROM staged_score
 ORDER BY asset_id
    ON CONFLICT (asset_id) DO UPDATE
   SET score = excluded.score, level = excluded.level, excluded = excluded.excluded,
       organization_id = excluded.organization_id, popularity = excluded.popularity, threat = excluded.threat,
       relevance = excluded.relevance, scarcity = excluded.scarcity, staleness = excluded.staleness,
       smallness = excluded.smallness, completeness = excluded.completeness, boost = excluded.boost,
       pinned = excluded.pinned, level_set = excluded.level_set, scored_at = now();
