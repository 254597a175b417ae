-- Begin to speak to a channel, for :speaking_seconds at most: one at a time, not while it rests after a failure, and not
-- within :pause_seconds of its last message. A row if it is ours now; a speaker that dies keeps it no longer.
INSERT INTO alert_channel AS mine (name, busy_until)
VALUES (:name, now() + make_interval(secs => :speaking_seconds))
ON CONFLICT (name) DO UPDATE SET busy_until = now() + make_interval(secs => :speaking_seconds)
 WHERE (mine.busy_until IS NULL OR mine.busy_until <= now())
   AND (mine.told_at IS NULL OR mine.told_at <= now() - make_interval(secs => :pause_seconds))
RETURNING mine.name;
