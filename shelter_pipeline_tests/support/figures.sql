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
