-- How each channel does that was ever spoken to.
SELECT name, told_at, failures, problem, CASE WHEN failures > 0 THEN busy_until END AS tried_again_at
  FROM alert_channel
 ORDER BY name;
