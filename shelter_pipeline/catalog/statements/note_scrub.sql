-- Remember what a scrub of a store found.
INSERT INTO scrub (store, ok, damaged, missing, extra, bytes_read, damaged_files, missing_files)
VALUES (:store, :ok, :damaged, :missing, :extra, :bytes_read, CAST(:damaged_files AS text[]), CAST(:missing_files AS text[]));
