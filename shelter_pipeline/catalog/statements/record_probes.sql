-- The newest word on each file. What a probe saw of it stands until another one sees it; a failure takes nothing
-- away. Safe to repeat: of two probes of one file the later stands, and the counters count each once.
INSERT INTO probe (asset_id, host, taken_until, probed_at, due_at, interval_seconds, same, changed, failures, alarm,
                   only_size, reason, detail, status, method, final_url, requests, seen_at, size, media_type, etag,
                   last_modified, accepts_ranges, filename)
SELECT asset_id, host, NULL, probed_at, now() + make_interval(secs => rest_seconds), interval_seconds,
       (change IS NOT DISTINCT FROM 'same')::int, (change IS NOT DISTINCT FROM 'changed')::int, failures, alarm,
       only_size, reason, detail, status, method, final_url, requests, CASE WHEN reason = :ok THEN probed_at END,
       size, media_type, etag, last_modified, accepts_ranges, filename
  FROM staged_probe
 ORDER BY asset_id
    ON CONFLICT (asset_id) DO UPDATE
   SET taken_until = NULL, probed_at = excluded.probed_at, due_at = excluded.due_at,
       interval_seconds = excluded.interval_seconds, same = probe.same + excluded.same,
       changed = probe.changed + excluded.changed, failures = excluded.failures, alarm = excluded.alarm,
       only_size = excluded.only_size, reason = excluded.reason, detail = excluded.detail,
       status = excluded.status, method = excluded.method, final_url = excluded.final_url,
       requests = excluded.requests, seen_at = coalesce(excluded.seen_at, probe.seen_at),
       size = CASE WHEN excluded.seen_at IS NULL THEN probe.size ELSE excluded.size END,
       media_type = CASE WHEN excluded.seen_at IS NULL THEN probe.media_type ELSE excluded.media_type END,
       etag = CASE WHEN excluded.seen_at IS NULL THEN probe.etag ELSE excluded.etag END,
       last_modified = CASE WHEN excluded.seen_at IS NULL THEN probe.last_modified ELSE excluded.last_modified END,
       accepts_ranges = CASE WHEN excluded.seen_at IS NULL THEN probe.accepts_ranges
                             ELSE excluded.accepts_ranges END,
       filename = CASE WHEN excluded.seen_at IS NULL THEN probe.filename ELSE excluded.filename END
 WHERE probe.probed_at IS NULL OR probe.probed_at < excluded.probed_at;
