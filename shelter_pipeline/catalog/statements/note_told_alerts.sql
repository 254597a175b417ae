-- Remember what a channel has told: these troubles, and of these their end.
INSERT INTO alert_telling (alert_id, channel, end_told_at)
SELECT alert.id, :channel, CASE WHEN alert.id = ANY (CAST(:ended AS bigint[])) THEN now() END
  FROM alert
 WHERE alert.id = ANY (CAST(:told AS bigint[])) OR alert.id = ANY (CAST(:ended AS bigint[]))
ON CONFLICT (alert_id, channel) DO UPDATE
   SET told_at = CASE WHEN EXCLUDED.end_told_at IS NULL THEN now() ELSE alert_telling.told_at END,
       end_told_at = EXCLUDED.end_told_at;
