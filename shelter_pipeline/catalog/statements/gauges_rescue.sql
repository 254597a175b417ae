-- How the rescue goes as a whole, as figures for a monitoring system, in the columns of `gauges`: counts that were made
-- before (summary, throughput), so that reading them costs the same at any size. What was never counted is left out.
WITH pace AS (
    SELECT verdict, sum(captures) AS captures, sum(files) AS files, sum(bytes) AS bytes, sum(wire_bytes) AS wire_bytes
      FROM throughput GROUP BY verdict
), counted AS (
    SELECT name, body, counted_at FROM summary WHERE name IN ('overview', 'holdings', 'queue')
)
SELECT 'shelter_captures_total' AS name, 'Captures by their verdict.' AS help, 'verdict' AS label, verdict AS kind,
       captures::double precision AS value
  FROM pace
UNION ALL
SELECT 'shelter_stored_files_total', 'Files that were stored, a changed one each time.', NULL, NULL,
       coalesce(sum(files), 0) FROM pace
UNION ALL
SELECT 'shelter_stored_bytes_total', 'Bytes of files that were stored.', NULL, NULL, coalesce(sum(bytes), 0) FROM pace
UNION ALL
SELECT 'shelter_received_bytes_total', 'Bytes that were received from publishers, for whatever came of them.', NULL,
       NULL, coalesce(sum(wire_bytes), 0) FROM pace
UNION ALL
SELECT 'shelter_expected_bytes', 'Bytes of all known files, as far as their sizes are known.', NULL, NULL,
       (SELECT coalesce(sum((row ->> 'bytes')::numeric), 0) FROM jsonb_array_elements(body -> 'files') AS row)
  FROM counted WHERE name = 'holdings'
UNION ALL
SELECT 'shelter_contents', 'Distinct contents by the copies of them that count; 3: three or more.', 'copies',
       row ->> 'copies', (row ->> 'contents')::numeric
  FROM counted, jsonb_array_elements(body -> 'spread') AS row WHERE name = 'holdings'
UNION ALL
SELECT 'shelter_unfollowed_links', 'Links that nobody has followed yet; they may lead to files.', NULL, NULL,
       (body ->> 'unfollowed_links')::numeric
  FROM counted WHERE name = 'holdings'
UNION ALL
SELECT 'shelter_datasets', 'Datasets that were ever listed, and those of them that no portal lists any more.', 'state',
       state, (body ->> field)::numeric
  FROM counted, (VALUES ('known', 'datasets'), ('gone', 'absent_datasets')) AS fields (state, field)
 WHERE name = 'overview'
UNION ALL
SELECT 'shelter_organizations', 'Organizations by the verdict on their rescue.', 'verdict', key, value::numeric
  FROM counted, jsonb_each_text(body -> 'organizations_by_verdict') WHERE name = 'overview'
UNION ALL
SELECT 'shelter_waiting_files', 'Files that wait, by priority; ten first.', 'level', row ->> 'level',
       (row ->> 'waiting')::numeric
  FROM counted, jsonb_array_elements(body -> 'levels') AS row WHERE name = 'queue'
UNION ALL
SELECT 'shelter_counted_age_seconds', 'Since the counts of the whole catalog were made.', NULL, NULL,
       extract(epoch FROM now() - counted_at)
  FROM counted WHERE name = 'overview'
ORDER BY 1, 4;
