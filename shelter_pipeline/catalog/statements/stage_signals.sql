-- What is so of a dataset and counts for all of its files, for the datasets of which it is not what is kept.
-- Of those from `first` to `last`, or of `dataset_ids` among them. What each threat means: priorities/weights.toml.
CREATE TEMPORARY TABLE staged_signal ON COMMIT DROP AS
WITH used AS (
    -- The best of all rankings; in each, the most used dataset has 1.
    SELECT rank.dataset_id, max(ln(1 + rank.events) / ln(1 + most.events)) AS share
      FROM rank
      JOIN (SELECT ranking_id, max(events) AS events FROM rank GROUP BY ranking_id HAVING max(events) > 0) AS most
        ON most.ranking_id = rank.ranking_id
     WHERE rank.dataset_id BETWEEN :first AND :last
       AND (CAST(:dataset_ids AS bigint[]) IS NULL OR rank.dataset_id = ANY (CAST(:dataset_ids AS bigint[])))
     GROUP BY rank.dataset_id
), lost AS (
    SELECT dataset_id, bool_or(state <> 'withheld') AS told
      FROM loss
     WHERE state IN ('withheld', 'suspected', 'confirmed') AND dataset_id IS NOT NULL
     GROUP BY dataset_id
), losing AS (
    -- Organizations of which datasets vanish: a fifth of them is as bad as all. In steps of 1/100, so that one loss
    -- among thousands does not rewrite all their scores.
    SELECT counted.organization_id, round(least(1, 5.0 * counted.datasets / whole.datasets), 2) AS risk
      FROM (SELECT dataset.organization_id, count(*) AS datasets
              FROM lost
              JOIN dataset ON dataset.id = lost.dataset_id
             WHERE lost.told
             GROUP BY dataset.organization_id) AS counted
     CROSS JOIN LATERAL (SELECT count(*) AS datasets FROM dataset
                          WHERE dataset.organization_id = counted.organization_id) AS whole
), dead_links AS (
    SELECT resource.dataset_id, count(DISTINCT loss.asset_id) AS known
      FROM loss
      JOIN asset_resource ON asset_resource.asset_id = loss.asset_id
      JOIN resource ON resource.id = asset_resource.resource_id
     WHERE loss.state IN ('suspected', 'confirmed') AND loss.asset_id IS NOT NULL
     GROUP BY resource.dataset_id
), complete AS (
    SELECT resource.dataset_id,
           count(held.id)::float / count(*) AS share
      FROM resource
      JOIN asset_resource ON asset_resource.resource_id = resource.id
      LEFT JOIN (SELECT id FROM asset WHERE state = 'held') AS held ON held.id = asset_resource.asset_id
     WHERE resource.dataset_id BETWEEN :first AND :last
       AND (CAST(:dataset_ids AS bigint[]) IS NULL OR resource.dataset_id = ANY (CAST(:dataset_ids AS bigint[])))
     GROUP BY resource.dataset_id
), publisher AS (
    SELECT organization.id, greatest(losing.risk, threatened.risk) AS threat, relevant.weight AS relevance
      FROM organization
      LEFT JOIN losing ON losing.organization_id = organization.id
      LEFT JOIN unnest(CAST(:organizations AS text[]), CAST(:organization_risks AS real[])) AS threatened (slug, risk)
        ON threatened.slug = organization.slug
      LEFT JOIN unnest(CAST(:relevant AS text[]), CAST(:relevant_weights AS real[])) AS relevant (slug, weight)
        ON relevant.slug = organization.slug
), found AS (
    SELECT dataset.id AS dataset_id, dataset.organization_id,
           greatest(least(1, ln(1 + greatest(coalesce(sighting.popularity, 0), 0)) / ln(1e6)),
                    used.share)::real AS popularity,
           greatest(CASE WHEN dataset.state = 'absent' OR lost.dataset_id IS NOT NULL THEN 1 ELSE 0 END,
                    publisher.threat,
                    CASE WHEN known.topics IS NOT NULL
                         THEN (SELECT max((CAST(:topic_risks AS real[]))[topic]) FROM unnest(known.topics) AS topic)
                    END)::real AS threat,
           coalesce(dead_links.known, 0)::int AS dead_links,
           greatest(known.wording, publisher.relevance)::real AS relevance,
           coalesce(complete.share, 0)::real AS completeness,
           dataset.modified
      FROM dataset
      JOIN dataset_signal AS known ON known.dataset_id = dataset.id AND known.dataset_id BETWEEN :first AND :last
      JOIN publisher ON publisher.id = dataset.organization_id
      LEFT JOIN sighting ON sighting.dataset_id = dataset.id AND sighting.dataset_id BETWEEN :first AND :last
      LEFT JOIN used ON used.dataset_id = dataset.id
      LEFT JOIN lost ON lost.dataset_id = dataset.id
      LEFT JOIN dead_links ON dead_links.dataset_id = dataset.id
      LEFT JOIN complete ON complete.dataset_id = dataset.id
     WHERE dataset.id BETWEEN :first AND :last
       AND (CAST(:dataset_ids AS bigint[]) IS NULL OR dataset.id = ANY (CAST(:dataset_ids AS bigint[])))
    OFFSET 0 -- worked out once, and not once for each comparison
)
SELECT found.*
  FROM found
  JOIN dataset_signal AS kept ON kept.dataset_id = found.dataset_id AND kept.dataset_id BETWEEN :first AND :last
 WHERE (kept.organization_id, kept.popularity, kept.threat, kept.dead_links, kept.relevance, kept.completeness,
        kept.modified)
       IS DISTINCT FROM
       (found.organization_id, found.popularity, found.threat, found.dead_links, found.relevance, found.completeness,
        found.modified);
