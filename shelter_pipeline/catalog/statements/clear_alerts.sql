-- End the troubles of kinds that were looked for and that nobody has seen for :rest_seconds: one that comes and goes
-- within that time is one trouble. Kinds that could not be looked for stay as they are.
UPDATE alert
   SET cleared_at = now()
 WHERE cleared_at IS NULL
   AND kind = ANY (CAST(:looked_for AS text[]))
   AND last_seen_at < now() - make_interval(secs => :rest_seconds);
