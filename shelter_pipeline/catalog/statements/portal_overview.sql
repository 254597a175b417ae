-- Every portal with what it has, and how its newest harvest and its newest complete one ended.
SELECT portal.slug AS portal, portal.kind, portal.url, portal.nightly, portal.delay_seconds,
       ARRAY(SELECT jsonb_object_keys(portal.headers)) AS headers,
       (SELECT count(*) FROM dataset WHERE dataset.portal_id = portal.id AND dataset.state = 'listed') AS datasets,
       newest.mode, newest.verdict, newest.started_at AS harvested_at, newest.message,
       (SELECT max(harvest.started_at)
          FROM harvest
         WHERE harvest.portal_id = portal.id AND harvest.mode = 'full' AND harvest.verdict = 'complete') AS complete_at
  FROM portal
  LEFT JOIN LATERAL (SELECT mode, verdict, started_at, message
                       FROM harvest
                      WHERE harvest.portal_id = portal.id
                      ORDER BY id DESC
                      LIMIT 1) AS newest ON true
 ORDER BY portal.id;
