-- A lost dataset moved if one that came later, and is there, lists the same file, or has its title and organization.
-- Titles and files that more than a handful share prove nothing; each table is read once, whatever is missing.
WITH telling_title AS (
    SELECT title, organization FROM unplaced GROUP BY title, organization HAVING count(*) <= :handful
), titled AS (
    SELECT other.id, other.title, organization.name AS organization, other.first_seen_at,
           count(*) OVER (PARTITION BY other.title, organization.name) AS bearers
      FROM telling_title
      JOIN dataset AS other ON other.title = telling_title.title
      JOIN organization ON organization.id = other.organization_id AND organization.name = telling_title.organization
     WHERE other.state = 'listed'
       AND NOT EXISTS (SELECT FROM unseen WHERE unseen.dataset_id = other.id)
), bearer AS (
    SELECT DISTINCT resource.url, resource.dataset_id
      FROM resource
     WHERE resource.listed
       AND resource.url IN (SELECT url FROM unplaced_url)
), telling_url AS (
    SELECT url FROM bearer GROUP BY url HAVING count(*) <= :handful
), candidate AS (
    SELECT unplaced.loss_id, titled.id AS dataset_id, 1 AS weight, CAST(NULL AS text) AS url
      FROM unplaced
      JOIN titled USING (title, organization)
     WHERE titled.bearers <= :handful
       AND titled.first_seen_at > unplaced.first_seen_at
    UNION ALL
    SELECT unplaced.loss_id, other.id, 2, unplaced_url.url
      FROM unplaced
      JOIN unplaced_url USING (loss_id)
      JOIN telling_url USING (url)
      JOIN bearer USING (url)
      JOIN dataset AS other ON other.id = bearer.dataset_id
     WHERE other.state = 'listed'
       AND other.first_seen_at > unplaced.first_seen_at
       AND NOT EXISTS (SELECT FROM unseen WHERE unseen.dataset_id = other.id)
), weighed AS (
    SELECT loss_id, dataset_id, sum(weight) AS weight, min(url) AS url FROM candidate GROUP BY loss_id, dataset_id
), best AS (
    SELECT DISTINCT ON (loss_id) loss_id, dataset_id, weight, url
      FROM weighed
     ORDER BY loss_id, weight DESC, dataset_id DESC
)
UPDATE loss
   SET kind = 'moved', moved_to_id = best.dataset_id,
       evidence = evidence || jsonb_build_object(
           'moved_to', successor.slug, 'moved_by', CAST(:harvest_id AS bigint),
           'because', CASE WHEN best.url IS NULL THEN 'it has the same title and organization'
                           ELSE 'it lists the same file, ' || best.url END)
  FROM best
  JOIN dataset AS successor ON successor.id = best.dataset_id
 WHERE loss.id = best.loss_id;
