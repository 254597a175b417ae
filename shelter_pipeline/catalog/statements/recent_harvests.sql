-- How portals were read lately, newest first.
SELECT harvest.id, portal.slug AS portal, portal.url AS portal_url, harvest.mode, harvest.verdict, harvest.expected,
       harvest.seen, harvest.new, harvest.changed, harvest.delisted, harvest.recovered, harvest.withheld,
       harvest.started_at, harvest.finished_at
  FROM (SELECT * FROM harvest ORDER BY id DESC LIMIT :limit) AS harvest
  JOIN portal ON portal.id = harvest.portal_id
 ORDER BY harvest.id DESC;
