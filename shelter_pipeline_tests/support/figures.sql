-- A little of everything that the metrics count; what each counts is in `api/test_metrics.py`.
INSERT INTO portal (slug, kind, url, added_at)
  VALUES ('never', 'ckan', 'https://n', now() - interval '3 days'),
  ('read', 'ckan', 'https://r', now() - interval '3 days');
INSERT INTO harvest (portal_id, verdict, started_at, finished_at)
  SELECT id, 'complete', now() - interval '1 hour', now() - interval '1 hour'
  FROM portal WHERE slug = 'read';
INSERT INTO organization (portal_id, slug, key, name)
  SELECT id, 'epa', 'epa', 'EPA'
  FROM portal WHERE slug = 'read';
INSERT INTO host (name, rest_until, waiting_at)
  VALUES ('rests:80', now() + interval '1 hour', NULL),
  ('full:80', NULL, now()),
  ('busy:80', NULL, NULL),
  ('idle:80', NULL, NULL);
INSERT INTO host_slot (host, number, holder, lease_until)
  VALUES ('busy:80', 1, 'p', now() + interval '1 hour');
INSERT INTO store (name) VALUES ('s');
INSERT INTO blob (sha256, size) VALUES ('abababababababababababababababababababababababababababababababab', 7);
INSERT INTO copy (sha256, store_id, verified_at)
  SELECT 'abababababababababababababababababababababababababababababababab', id, now() - interval '2 days'
  FROM store;
INSERT INTO batch (key, organization_id, number, files, bytes, not_before)
  SELECT 'epa.h.' || n, id, n, 1, 1, now() + (n - 2) * interval '1 hour'
  FROM organization, generate_series(1, 3) n;
INSERT INTO asset (url, url_hash, host, state, reason, sha256, size, next_attempt_at)
  VALUES ('https://idle/1', sha256('1'), 'idle:80', 'held', 'stored', 'abababababababababababababababababababababababababababababababab', 7, NULL),
  ('https://idle/2', sha256('2'), 'idle:80', 'failed', 'http-404', NULL, NULL, now() - interval '1 hour'),
  ('https://idle/3', sha256('3'), 'idle:80', 'pending', NULL, NULL, NULL, now() - interval '1 hour');
INSERT INTO claim (asset_id, holder, state, lease_until, ended_at, outcome)
  SELECT id, 'r', 'expired', now(), now(), NULL
  FROM asset WHERE reason = 'stored';
INSERT INTO claim (asset_id, holder, lease_until)
  SELECT id, 'r', now() + interval '30 seconds'
  FROM asset WHERE reason = 'http-404';
INSERT INTO claim (asset_id, holder, lease_until)
  SELECT id, 'r', now() - interval '1 s'
  FROM asset WHERE reason IS NULL;
INSERT INTO worker (name, host, release, slots, queues, beat_at, clock_offset_seconds, ending)
  VALUES ('a', 'a', '1', 4, '{downloads}', now(), -7200, false),
  ('b', 'b', '1', 4, '{downloads}', now() - interval '1 hour', 0, false),
  ('c', 'c', '1', 4, '{downloads}', now(), 0, true);
INSERT INTO run_beat (run_id, worker, beat_at) VALUES ('1', 'a', now()), ('2', 'b', now() - interval '1 hour');
INSERT INTO throughput (hour, verdict, settled, captures, files, bytes, wire_bytes, first_at)
  VALUES (date_trunc('hour', now()), 'stored', true, 5, 4, 400, 500, now()),
  (date_trunc('hour', now()), 'stored', false, 1, 1, 7, 7, now()),
  (date_trunc('hour', now()), 'transient', true, 2, 0, 0, 30, now());
INSERT INTO summary (name, body, seconds)
  VALUES ('overview', '{"datasets": 9, "absent_datasets": 2, "organizations_by_verdict": {"complete": 1, "partial": 3}}', 1),
  ('holdings', '{"files": [{"bytes": 7}, {"bytes": 93}], "spread": [{"copies": 1, "contents": 1}], "unfollowed_links": 6}', 1),
  ('queue', '{"levels": [{"level": 10, "waiting": 2}, {"level": 1, "waiting": 0}]}', 1);
INSERT INTO loss (portal_id, kind, state, asset_id)
  SELECT portal.id, 'link-dead', 'suspected', asset.id FROM portal, asset WHERE portal.slug = 'read' AND reason = 'http-404';
INSERT INTO node (name, last_seen_at) VALUES ('helper', now());
INSERT INTO proof (node_id, asset_id, sha256, size, kind, deadline)
  SELECT node.id, asset.id, repeat('ab', 32), 7, 'upload', now() + interval '1 hour'
  FROM node, asset WHERE asset.reason = 'stored';
INSERT INTO alert (kind, thing, detail) VALUES ('no-room', 'store', 'full');
INSERT INTO alert_channel (name, failures, problem) VALUES ('webhook', 2, 'HTTP 500');
INSERT INTO alert_look DEFAULT VALUES;
