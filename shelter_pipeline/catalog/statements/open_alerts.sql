-- Troubles that last, the kinds in order and the oldest first, each with the channels that have told of it.
SELECT alert.id, alert.kind, alert.thing, alert.detail, alert.first_seen_at AS since, alert.last_seen_at,
       ARRAY(SELECT channel FROM alert_telling WHERE alert_id = alert.id ORDER BY channel) AS told_by
  FROM alert
 WHERE alert.cleared_at IS NULL
 ORDER BY alert.kind, alert.first_seen_at, alert.id;
