-- Every asset gets a score from 0 to 1 with the part of each signal; rows whose score stays are not written.
-- Signals and their meaning: priorities/weights.toml. Levels: ten equal steps of the score, 10 first.
WITH word AS (
    SELECT lower(key) AS word, value::float AS weight FROM jsonb_each_text(CAST(:vocabulary AS jsonb))
), threatened AS (
    SELECT key AS slug, value::float AS risk FROM jsonb_each_text(CAST(:threatened AS jsonb))
), completeness AS (
    SELECT resource.dataset_id,
           count(*) FILTER (WHERE asset.state = 'held')::float / count(*) AS share
      FROM asset_resource
      JOIN resource ON resource.id = asset_resource.resource_id
      JOIN asset ON asset.id = asset_resource.asset_id
     GROUP BY resource.dataset_id
), dataset_signal AS (
    SELECT dataset.id, dataset.organization_id,
           least(1, ln(1 + greatest(coalesce(dataset.popularity, 0), 0)) / ln(1e6)) AS popularity,
           greatest(CASE WHEN dataset.state = 'absent' THEN 1 ELSE 0 END, coalesce(threatened.risk, 0)) AS threat,
           coalesce((SELECT max(word.weight)
                       FROM word
                      WHERE position(word.word IN
                                lower(dataset.title || ' ' || array_to_string(dataset.keywords, ' '))) > 0), 0)
               AS relevance,
           coalesce(completeness.share, 0) AS completeness
      FROM dataset
      JOIN organization ON organization.id = dataset.organization_id
      LEFT JOIN threatened ON threatened.slug = organization.slug
      LEFT JOIN completeness ON completeness.dataset_id = dataset.id
), signal AS (
    SELECT asset_resource.asset_id,
           max(dataset_signal.popularity) AS popularity,
           max(dataset_signal.threat) AS threat,
           max(dataset_signal.relevance) AS relevance,
           max(dataset_signal.completeness) AS completeness,
           array_agg(DISTINCT dataset_signal.id) AS datasets,
           array_agg(DISTINCT dataset_signal.organization_id) AS organizations
      FROM asset_resource
      JOIN resource ON resource.id = asset_resource.resource_id
      JOIN dataset_signal ON dataset_signal.id = resource.dataset_id
     GROUP BY asset_resource.asset_id
), part AS (
    SELECT asset.id AS asset_id,
           signal.popularity * :popularity AS popularity,
           signal.threat * :threat AS threat,
           signal.relevance * :relevance AS relevance,
           (1.0 / (1 + coalesce(copies.known, 0))) * :scarcity AS scarcity,
           CASE WHEN coalesce(asset.size, asset.expected_size) IS NULL THEN 0.5
                ELSE 1 - least(1, ln(1 + greatest(coalesce(asset.size, asset.expected_size), 0)) / ln(1e12))
           END * :smallness AS smallness,
           signal.completeness * :completeness AS completeness,
           coalesce(ordered.boost, 0) AS boost,
           coalesce(ordered.pinned, false) AS pinned,
           coalesce(ordered.excluded, false) AS excluded
      FROM asset
      JOIN signal ON signal.asset_id = asset.id
      LEFT JOIN (SELECT sha256, count(*) AS known FROM copy WHERE state = 'good' GROUP BY sha256) AS copies
        ON copies.sha256 = asset.sha256
      LEFT JOIN LATERAL (
           SELECT sum(amount) FILTER (WHERE action = 'boost') AS boost,
                  bool_or(action = 'pin') AS pinned,
                  bool_or(action = 'exclude') AS excluded
             FROM override
            WHERE (until IS NULL OR until > now())
              AND (override.asset_id = asset.id OR override.host = asset.host
                   OR override.dataset_id = ANY (signal.datasets)
                   OR override.organization_id = ANY (signal.organizations))
      ) AS ordered ON true
), scored AS (
    SELECT asset_id, excluded,
           CASE WHEN pinned THEN 1
                ELSE least(1, greatest(0, popularity + threat + relevance + scarcity + smallness + completeness
                                          + boost))
           END AS score,
           jsonb_strip_nulls(jsonb_build_object(
               'popularity', round(popularity::numeric, 4), 'threat', round(threat::numeric, 4),
               'relevance', round(relevance::numeric, 4), 'scarcity', round(scarcity::numeric, 4),
               'smallness', round(smallness::numeric, 4), 'completeness', round(completeness::numeric, 4),
               'boost', nullif(boost, 0), 'pinned', nullif(pinned, false), 'excluded', nullif(excluded, false)
           )) AS reasons
      FROM part
)
INSERT INTO priority (asset_id, score, level, excluded, reasons)
SELECT asset_id, score, least(10, 1 + floor(score * 10)::int), excluded, reasons FROM scored
    ON CONFLICT (asset_id) DO UPDATE
   SET score = excluded.score, level = excluded.level, excluded = excluded.excluded, reasons = excluded.reasons,
       scored_at = now()
 WHERE (priority.score, priority.excluded, priority.reasons)
       IS DISTINCT FROM (excluded.score, excluded.excluded, excluded.reasons);
