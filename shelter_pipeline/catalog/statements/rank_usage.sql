-- Ranks datasets by the staged usages: 1 is most, ties share a rank and leave a gap after them. A usage counts for every
-- dataset that lists its link (in any case, with its fragment or without); one whose link nobody lists counts for the
-- datasets whose own page it was made on: /dataset/<slug> on their portal's host, or their landing page.
WITH by_link AS (
    SELECT lower(link) AS link, count(*) AS rows, sum(events) AS events FROM staged_usage GROUP BY 1
), link_dataset AS (
    SELECT DISTINCT by_link.link, resource.dataset_id
      FROM by_link
     CROSS JOIN LATERAL (VALUES (by_link.link), (split_part(by_link.link, '#', 1))) AS written (url)
      JOIN resource ON lower(btrim(resource.url, E' \t\r\n')) = written.url
), linked AS (
    SELECT DISTINCT link FROM link_dataset
), by_page AS (
    SELECT lower(page) AS page, page_host, page_slug, count(*) AS rows, sum(events) AS events
      FROM staged_usage
     WHERE page <> '' AND NOT EXISTS (SELECT FROM linked WHERE linked.link = lower(staged_usage.link))
     GROUP BY 1, 2, 3
), page_dataset AS (
    SELECT by_page.page, dataset.id AS dataset_id
      FROM by_page
      JOIN portal ON lower(substring(portal.url FROM '//([^/:?#]+)')) = by_page.page_host
      JOIN dataset ON dataset.portal_id = portal.id AND dataset.slug = by_page.page_slug
     UNION
    SELECT by_page.page, dataset.id
      FROM by_page
      JOIN dataset ON split_part(lower(btrim(dataset.landing_page, E' \t\r\n')), '#', 1) = by_page.page
), used AS (
    SELECT dataset_id, sum(events) AS events
      FROM (SELECT link_dataset.dataset_id, by_link.events FROM by_link JOIN link_dataset USING (link)
             UNION ALL
            SELECT page_dataset.dataset_id, by_page.events FROM by_page JOIN page_dataset USING (page)) AS found
     GROUP BY dataset_id
), ranked AS (
    INSERT INTO rank (ranking_id, dataset_id, rank, events)
    SELECT :ranking_id, dataset_id, rank() OVER (ORDER BY events DESC), least(events, 9223372036854775807)
      FROM used
    RETURNING dataset_id
)
SELECT whole.rows, whole.events, of_link.rows AS link_rows, of_link.events AS link_events,
       of_page.rows AS page_rows, of_page.events AS page_events,
       (SELECT count(*) FROM ranked) AS datasets
  FROM (SELECT count(*) AS rows, CAST(coalesce(sum(events), 0) AS bigint) AS events FROM staged_usage) AS whole,
       (SELECT CAST(coalesce(sum(rows), 0) AS bigint) AS rows, CAST(coalesce(sum(events), 0) AS bigint) AS events
          FROM by_link JOIN linked USING (link)) AS of_link,
       (SELECT CAST(coalesce(sum(rows), 0) AS bigint) AS rows, CAST(coalesce(sum(events), 0) AS bigint) AS events
          FROM by_page WHERE EXISTS (SELECT FROM page_dataset WHERE page_dataset.page = by_page.page)) AS of_page;
