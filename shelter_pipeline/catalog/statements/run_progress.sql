-- How far the rescue is, cheaply enough to be asked every second.
SELECT (SELECT count(*) FROM asset) AS files,
       (SELECT count(*) FROM asset WHERE state <> 'pending' OR reason IS NOT NULL) AS settled_files,
       (SELECT coalesce(sum(size), 0)::bigint FROM blob) AS held_bytes,
       (SELECT count(*) FROM resource WHERE listed) AS resources,
       (SELECT count(*) FROM resource WHERE listed AND discovered_at IS NOT NULL) AS discovered,
       (SELECT count(*) FROM batch) AS batches,
       (SELECT count(*) FROM batch WHERE finished_at IS NOT NULL AND state <> 'running') AS ended_batches,
       (SELECT count(*) FROM priority) AS scored,
       (SELECT seen + refused FROM harvest ORDER BY id DESC LIMIT 1) AS read,
       (SELECT expected FROM harvest ORDER BY id DESC LIMIT 1) AS expected;
