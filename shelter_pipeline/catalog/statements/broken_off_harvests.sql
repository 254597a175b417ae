-- Nightly portals whose newest harvest was broken off, has somewhere to go on from, and is young enough for it.
SELECT portal.slug
  FROM portal
  JOIN LATERAL (SELECT mode, verdict, cursor, touched_at
                  FROM harvest
                 WHERE harvest.portal_id = portal.id
                 ORDER BY id DESC
                 LIMIT 1) AS newest ON true
 WHERE portal.nightly
   AND newest.mode = 'full'
   AND newest.verdict IN ('interrupted', 'partial', 'unreachable')
   AND newest.cursor IS NOT NULL
   AND newest.touched_at > now() - make_interval(secs => CAST(:resume_hours AS float) * 3600)
 ORDER BY portal.id;
