-- What the last scrub of each store found.
SELECT DISTINCT ON (store) store, finished_at, ok, damaged, missing, extra, damaged_files, missing_files
  FROM scrub
 ORDER BY store, id DESC;
