-- Every asset's score from 0 to 1 with the part of each signal and its level, for the assets of which it is not what is
-- kept: of those from `first` to `last`, or of `asset_ids` among them. A table of its own, because a what-if writes
-- nothing else. The meaning of signals: priorities/weights.toml.
-- Each OFFSET 0 keeps what stands above it from being worked out again for every mention of it further down.
CREATE TEMPORARY TABLE staged_score ON COMMIT DROP AS
WITH listed AS (
    -- A file that several datasets list has the best of each.
    SELECT asset_resource.asset_id,
           min(dataset_signal.organization_id) AS organization_id,
           max(dataset_signal.popularity) AS popularity, max(dataset_signal.threat) AS threat,
           max(dataset_signal.dead_links) AS dead_links, max(dataset_signal.relevance) AS relevance,
           max(dataset_signal.completeness) AS completeness, max(dataset_signal.modified) AS modified
      FROM asset_resource
      JOIN resource ON resource.id = asset_resource.resource_id
      JOIN dataset_signal ON dataset_signal.dataset_id = resource.dataset_id
     WHERE asset_resource.asset_id BETWEEN :first AND :last
       AND (CAST(:asset_ids AS bigint[]) IS NULL OR asset_resource.asset_id = ANY (CAST(:asset_ids AS bigint[])))
     GROUP BY asset_resource.asset_id
), signal AS (
    SELECT asset.id AS asset_id, listed.organization_id,
           listed.popularity,
           greatest(listed.threat, host_signal.threat,
                    -- A link of a dataset of which another one has died may be the next.
                    CASE WHEN listed.dead_links > 0
                          AND listed.dead_links > (SELECT count(*) FROM loss
                                                    WHERE loss.asset_id = asset.id
                                                      AND loss.state IN ('suspected', 'confirmed'))
                         THEN 0.8 END) AS threat,
           listed.relevance,
           -- An outside holder's word counts half of a copy that was verified.
           1.0 / (1 + coalesce(copies.known, 0) + 0.5 * coalesce(outside.holders, 0)) AS scarcity,
           CASE WHEN asset.state <> 'held' OR probe.alarm = 'changed' THEN 1.0
                WHEN greatest(asset.listed_modified, listed.modified) > copies.stored_at
                THEN (SELECT CASE WHEN asset.listed_modified > max(capture.finished_at) THEN 1.0
                                  WHEN listed.modified > max(capture.finished_at) THEN 0.5
                                  ELSE 0 END
                        FROM capture
                       WHERE capture.asset_id = asset.id AND capture.verdict IN ('stored', 'unchanged'))
                ELSE 0 END AS staleness,
           CASE WHEN weight.bytes IS NULL THEN 0.5
                ELSE 1 - least(1, ln(1 + greatest(weight.bytes, 0)::float) / ln(CAST(1e12 AS float)))
           END AS smallness,
           listed.completeness,
           coalesce(ordered.boost, 0) AS boost,
           coalesce(ordered.pinned, false) AS pinned,
           coalesce(ordered.excluded, false) AS excluded,
           ordered.level_set
      FROM asset
      JOIN listed ON listed.asset_id = asset.id
      LEFT JOIN host_signal ON host_signal.host = asset.host
      LEFT JOIN (SELECT sha256, round(sum(counts) * 100) / 100 AS known, min(stored_at) AS stored_at
                   FROM copy WHERE state = 'good' GROUP BY sha256) AS copies
        ON copies.sha256 = asset.sha256
      LEFT JOIN (SELECT url_hash, count(*) AS holders FROM holding GROUP BY url_hash) AS outside
        ON outside.url_hash = asset.url_hash
      LEFT JOIN (SELECT asset_id, alarm FROM probe WHERE alarm IS NOT NULL) AS probe ON probe.asset_id = asset.id
      LEFT JOIN asset_override AS ordered ON ordered.asset_id = asset.id
     CROSS JOIN LATERAL (SELECT coalesce(asset.size, asset.expected_size, asset.estimated_size) AS bytes) AS weight
     WHERE asset.id BETWEEN :first AND :last
       AND (CAST(:asset_ids AS bigint[]) IS NULL OR asset.id = ANY (CAST(:asset_ids AS bigint[])))
    OFFSET 0
), part AS (
    SELECT asset_id, organization_id, excluded, pinned, level_set,
           popularity * CAST(:popularity AS float) AS popularity, threat * CAST(:threat AS float) AS threat,
           relevance * CAST(:relevance AS float) AS relevance, scarcity * CAST(:scarcity AS float) AS scarcity,
           staleness * CAST(:staleness AS float) AS staleness, smallness * CAST(:smallness AS float) AS smallness,
           completeness * CAST(:completeness AS float) AS completeness, boost
      FROM signal
), summed AS (
    SELECT part.*,
           round(1e6 * least(1, greatest(0, popularity + threat + relevance + scarcity + staleness + smallness
                                            + completeness + boost))) / 1e6 AS own
      FROM part
), scored AS (
    SELECT summed.*,
           -- A level that was set keeps the order of the files within it.
           CASE WHEN pinned THEN 1.0
                WHEN level_set IS NULL THEN own
                ELSE least(greatest(own, (CAST(:floors AS float[]))[level_set]), (CAST(:ceilings AS float[]))[level_set])
           END AS score
      FROM summed
    OFFSET 0
), levelled AS (
    SELECT asset_id, score, (width_bucket(score, CAST(:steps AS float[])) + 1)::smallint AS level, excluded,
           organization_id, popularity::real AS popularity, threat::real AS threat, relevance::real AS relevance,
           scarcity::real AS scarcity, staleness::real AS staleness, smallness::real AS smallness,
           completeness::real AS completeness, boost::real AS boost, pinned, level_set
      FROM scored
)
SELECT levelled.*
  FROM levelled
  LEFT JOIN (SELECT * FROM priority WHERE priority.asset_id BETWEEN :first AND :last) AS priority
    ON priority.asset_id = levelled.asset_id
 WHERE (priority.score, priority.level, priority.excluded, priority.organization_id, priority.popularity,
        priority.threat, priority.relevance, priority.scarcity, priority.staleness, priority.smallness,
        priority.completeness, priority.boost, priority.pinned, priority.level_set)
       IS DISTINCT FROM
       (levelled.score, levelled.level, levelled.excluded, levelled.organization_id, levelled.popularity,
        levelled.threat, levelled.relevance, levelled.scarcity, levelled.staleness, levelled.smallness,
        levelled.completeness, levelled.boost, levelled.pinned, levelled.level_set);
