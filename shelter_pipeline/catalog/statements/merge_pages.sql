-- Pages as they stand now. A page that was known keeps its number.
INSERT INTO exploration_page AS page (
       id, exploration_id, url, url_hash, parent_id, round, depth, hops, why, label, reader, headers, state, what, reason,
       detail, files, data_files, known_bytes, left_behind, digest, attempts, next_at, read_at)
OVERRIDING SYSTEM VALUE
SELECT id, exploration_id, url, url_hash, parent_id, round, depth, hops, why, label, reader, headers, state, what, reason,
       detail, files, data_files, known_bytes, left_behind, digest, attempts,
       CASE WHEN state = 'waiting' THEN now() + rest END, CASE WHEN state = 'read' THEN now() END
  FROM staged_page
 ORDER BY id
    ON CONFLICT (id) DO UPDATE
   SET parent_id = excluded.parent_id, round = excluded.round, depth = excluded.depth, hops = excluded.hops,
       why = excluded.why, label = excluded.label, reader = excluded.reader, headers = excluded.headers,
       state = excluded.state, what = excluded.what, reason = excluded.reason, detail = excluded.detail,
       files = excluded.files, data_files = excluded.data_files, known_bytes = excluded.known_bytes,
       left_behind = excluded.left_behind, digest = excluded.digest, attempts = excluded.attempts,
       next_at = excluded.next_at, read_at = coalesce(excluded.read_at, page.read_at);
