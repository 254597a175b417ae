-- The signals of hosts that are not what they were.
INSERT INTO host_signal (host, looked_at, dead, threat)
SELECT host, looked_at, dead, threat FROM staged_host
    ON CONFLICT (host) DO UPDATE
   SET looked_at = excluded.looked_at, dead = excluded.dead, threat = excluded.threat
 WHERE (host_signal.looked_at, host_signal.dead, host_signal.threat)
       IS DISTINCT FROM (excluded.looked_at, excluded.dead, excluded.threat);
