-- The portals that are reported on, each with the moment up to which its whole list was last read without a gap.
SELECT portal.slug AS portal, portal.kind, portal.url,
       (SELECT max(harvest.started_at) FROM harvest WHERE harvest.portal_id = portal.id) AS harvested_at,
       (SELECT max(harvest.started_at)
          FROM harvest
         WHERE harvest.portal_id = portal.id AND harvest.mode = 'full' AND harvest.verdict = 'complete') AS complete_at
  FROM portal
 WHERE CAST(:organizations AS bigint[]) IS NULL
    OR portal.id IN (SELECT portal_id FROM organization WHERE id = ANY (:organizations))
 ORDER BY portal.id;
