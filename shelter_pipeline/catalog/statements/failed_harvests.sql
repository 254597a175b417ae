-- Nightly portals whose last harvest ended badly, hangs, or is long ago; one that was broken off has two hours to be
-- continued by itself. Portals that were never read are not missed.
SELECT portal.slug AS portal, latest.verdict, latest.message, latest.started_at,
       CASE WHEN latest.verdict = 'running' THEN 'hangs'
            WHEN latest.verdict IN ('complete', 'plausible') THEN 'overdue'
            ELSE 'failed' END AS trouble
  FROM portal
 CROSS JOIN LATERAL (
       SELECT verdict, message, started_at, touched_at, finished_at
         FROM harvest
        WHERE harvest.portal_id = portal.id
        ORDER BY harvest.id DESC
        LIMIT 1) AS latest
 WHERE portal.nightly
   AND (latest.verdict IN ('partial', 'unreachable')
        OR (latest.verdict = 'interrupted' AND coalesce(latest.finished_at, latest.touched_at) < now() - interval '2 hours')
        OR (latest.verdict = 'running' AND latest.touched_at < now() - interval '6 hours')
        OR (latest.verdict IN ('complete', 'plausible') AND latest.started_at < now() - interval '3 days'))
 ORDER BY portal.slug;
