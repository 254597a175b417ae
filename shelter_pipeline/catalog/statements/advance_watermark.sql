-- Up to where the portal's own change dates have been read; a date in the future must not hide what comes before it,
-- and a mark that is in the future itself is believed no longer.
UPDATE portal
   SET watermark = greatest(CASE WHEN portal.watermark <= now() THEN portal.watermark END, least(harvest.changed_until, harvest.started_at))
  FROM harvest
 WHERE harvest.id = :harvest_id
   AND harvest.portal_id = portal.id
   AND portal.id = :portal_id
   AND harvest.changed_until IS NOT NULL;
