-- Up to where the portal's own change dates have been read; a date in the future must not hide what comes before it.
UPDATE portal
   SET watermark = greatest(portal.watermark, least(harvest.changed_until, harvest.started_at))
  FROM harvest
 WHERE harvest.id = :harvest_id
   AND harvest.portal_id = portal.id
   AND portal.id = :portal_id
   AND harvest.changed_until IS NOT NULL;
