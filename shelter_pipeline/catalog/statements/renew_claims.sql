-- A lease that has run out is not renewed, even if nobody has taken the asset yet: its holder must stop.
UPDATE claim
   SET lease_until = now() + make_interval(secs => :lease_seconds)
 WHERE token = ANY (:tokens)
   AND state = 'held'
   AND lease_until > now()
RETURNING token;
