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
), used AS (
    -- The best of all rankings; in each, the most used dataset has 1.
    SELECT rank.dataset_id, max(ln(1 + rank.events) / ln(1 + most.events)) AS share
      FROM rank
      JOIN (SELECT ranking_id, max(events) AS events FROM rank GROUP BY ranking_id HAVING max(events) > 0) AS most
        ON most.ranking_id = rank.ranking_id
     GROUP BY rank.dataset_id
), lost_dataset AS (
    SELECT dataset_id, bool_or(state <> 'withheld') AS told
      FROM loss
     WHERE state IN ('withheld', 'suspected', 'confirmed') AND dataset_id IS NOT NULL
     GROUP BY dataset_id
), losing AS (
    -- Organizations of which datasets vanish: a fifth of them is as bad as all. In steps of 1/100, so that one loss
    -- among thousands does not rewrite all their scores.
    SELECT lost.organization_id, round(least(1, 5.0 * lost.datasets / whole.datasets), 2)::float AS risk
      FROM (SELECT dataset.organization_id, count(*) AS datasets
              FROM lost_dataset
              JOIN dataset ON dataset.id = lost_dataset.dataset_id
             WHERE lost_dataset.told
             GROUP BY dataset.organization_id) AS lost
     CROSS JOIN LATERAL (SELECT count(*) AS datasets FROM dataset
                          WHERE dataset.organization_id = lost.organization_id) AS whole
), dead_link AS (
    SELECT DISTINCT asset_id FROM loss WHERE state IN ('suspected', 'confirmed') AND asset_id IS NOT NULL
), dead_links AS (
    SELECT resource.dataset_id, count(DISTINCT dead_link.asset_id) AS known
      FROM dead_link
      JOIN asset_resource ON asset_resource.asset_id = dead_link.asset_id
      JOIN resource ON resource.id = asset_resource.resource_id
     GROUP BY resource.dataset_id
), dataset_signal AS MATERIALIZED (
    -- Once for each dataset and not for each of its resources: looking for words is what costs most here.
    SELECT dataset.id, dataset.organization_id,
           greatest(least(1, ln(1 + greatest(coalesce(sighting.popularity, 0), 0)) / ln(1e6)),
                    coalesce(used.share, 0)) AS popularity,
           greatest(CASE WHEN dataset.state = 'absent' OR lost_dataset.dataset_id IS NOT NULL THEN 1 ELSE 0 END,
                    coalesce(threatened.risk, 0), coalesce(losing.risk, 0)) AS threat,
           coalesce(dead_links.known, 0) AS dead_links,
           coalesce((SELECT max(word.weight)
                       FROM word
                      WHERE position(word.word IN
                                lower(dataset.title || ' ' || array_to_string(dataset.keywords, ' '))) > 0), 0)
               AS relevance,
           coalesce(completeness.share, 0) AS completeness
      FROM dataset
      JOIN organization ON organization.id = dataset.organization_id
      LEFT JOIN sighting ON sighting.dataset_id = dataset.id
      LEFT JOIN used ON used.dataset_id = dataset.id
      LEFT JOIN lost_dataset ON lost_dataset.dataset_id = dataset.id
      LEFT JOIN losing ON losing.organization_id = dataset.organization_id
      LEFT JOIN dead_links ON dead_links.dataset_id = dataset.id
      LEFT JOIN threatened ON threatened.slug = organization.slug
      LEFT JOIN completeness ON completeness.dataset_id = dataset.id
), signal AS (
    SELECT asset_resource.asset_id,
           max(dataset_signal.popularity) AS popularity,
           -- A link of a dataset of which another one has died may be the next.
           max(greatest(dataset_signal.threat,
                        CASE WHEN dataset_signal.dead_links > (dead_link.asset_id IS NOT NULL)::int THEN 0.8 END))
               AS threat,
           max(dataset_signal.relevance) AS relevance,
           max(dataset_signal.completeness) AS completeness,
           array_agg(DISTINCT dataset_signal.id) AS datasets,
           array_agg(DISTINCT dataset_signal.organization_id) AS organizations
      FROM asset_resource
      JOIN resource ON resource.id = asset_resource.resource_id
      JOIN dataset_signal ON dataset_signal.id = resource.dataset_id
      LEFT JOIN dead_link ON dead_link.asset_id = asset_resource.asset_id
     GROUP BY asset_resource.asset_id
), part AS (
    SELECT asset.id AS asset_id,
           signal.popularity * :popularity AS popularity,
           signal.threat * :threat AS threat,
           signal.relevance * :relevance AS relevance,
           -- An outside holder's word counts half of a copy that was verified.
           (1.0 / (1 + coalesce(copies.known, 0) + 0.5 * coalesce(outside.holders, 0))) * :scarcity AS scarcity,
           CASE WHEN weight.bytes IS NULL THEN 0.5 ELSE 1 - least(1, ln(1 + greatest(weight.bytes, 0)) / ln(1e12))
           END * :smallness AS smallness,
           signal.completeness * :completeness AS completeness,
           coalesce(ordered.boost, 0) AS boost,
           coalesce(ordered.pinned, false) AS pinned,
           coalesce(ordered.excluded, false) AS excluded
      FROM asset
      JOIN signal ON signal.asset_id = asset.id
     CROSS JOIN LATERAL (SELECT coalesce(asset.size, asset.expected_size, asset.estimated_size) AS bytes) AS weight
      LEFT JOIN (SELECT sha256, count(*) AS known FROM copy WHERE state = 'good' GROUP BY sha256) AS copies
        ON copies.sha256 = asset.sha256
      LEFT JOIN (SELECT asset.id AS asset_id, count(*) AS holders
                   FROM holding JOIN asset ON asset.url_hash = holding.url_hash
                  GROUP BY asset.id) AS outside
        ON outside.asset_id = asset.id
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
