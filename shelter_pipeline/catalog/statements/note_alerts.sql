-- Remember troubles that are seen now: one open row for each kind and thing, however often and by however many it is
-- seen. Rows in use change only when what they say does, or every second minute.
INSERT INTO alert (kind, thing, detail)
SELECT seen.kind, seen.thing, seen.detail
  FROM unnest(CAST(:kinds AS text[]), CAST(:things AS text[]), CAST(:details AS text[])) AS seen (kind, thing, detail)
 ORDER BY seen.kind, seen.thing
ON CONFLICT (kind, thing) WHERE cleared_at IS NULL
DO UPDATE SET detail = EXCLUDED.detail, last_seen_at = now()
 WHERE alert.detail <> EXCLUDED.detail OR alert.last_seen_at < now() - interval '2 minutes';
