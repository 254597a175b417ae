-- The portal's newest harvest, if it was broken off in the middle of reading everything, and lately.
SELECT id
  FROM harvest
 WHERE id = (SELECT max(id) FROM harvest WHERE portal_id = :portal_id)
   AND mode = 'full'
   AND cursor IS NOT NULL
   AND verdict IN ('running', 'interrupted', 'partial', 'unreachable')
   AND touched_at > clock_timestamp() - make_interval(secs => :resume_seconds);
