-- What a channel has to tell: troubles that it has not told of, troubles that last :remind_seconds since it last did, and
-- the end of those that it did tell of.
SELECT alert.id, alert.kind, alert.thing, alert.detail, alert.first_seen_at AS since, alert.cleared_at AS ended,
       CASE WHEN alert.cleared_at IS NOT NULL THEN 'ended' WHEN telling.told_at IS NULL THEN 'new' ELSE 'still' END
           AS standing
  FROM alert
  LEFT JOIN alert_telling AS telling ON telling.alert_id = alert.id AND telling.channel = :channel
 WHERE (alert.cleared_at IS NULL
        AND (telling.told_at IS NULL OR telling.told_at < now() - make_interval(secs => :remind_seconds)))
    OR (alert.cleared_at IS NOT NULL AND telling.told_at IS NOT NULL AND telling.end_told_at IS NULL)
 ORDER BY alert.kind, alert.first_seen_at, alert.id;
