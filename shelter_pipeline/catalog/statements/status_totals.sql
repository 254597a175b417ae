-- The size of the whole rescue in one row. Reads tables whole: a second or so at full size.
SELECT (SELECT count(*) FROM dataset) AS datasets,
       assets.files, assets.held_files, assets.held_bytes, assets.pending_files, assets.failed_files, assets.dead_files,
       (SELECT coalesce(sum(level), 0)::bigint FROM priority) AS total_level,
       copies.good AS copies_good, copies.counted AS copies_counted, copies.on_nodes AS copies_on_nodes,
       batches.planned AS planned_batches, batches.running AS running_batches, batches.failed AS failed_batches
  FROM (SELECT count(*) AS files,
               count(*) FILTER (WHERE state = 'held') AS held_files,
               coalesce(sum(size) FILTER (WHERE state = 'held'), 0)::bigint AS held_bytes,
               count(*) FILTER (WHERE state = 'pending') AS pending_files,
               count(*) FILTER (WHERE state = 'failed') AS failed_files,
               count(*) FILTER (WHERE state = 'dead') AS dead_files
          FROM asset) AS assets,
       (SELECT count(*) AS good, coalesce(sum(counts), 0)::float AS counted, count(node_id) AS on_nodes
          FROM copy WHERE state = 'good') AS copies,
       (SELECT count(*) FILTER (WHERE state = 'planned') AS planned,
               count(*) FILTER (WHERE state = 'running') AS running,
               count(*) FILTER (WHERE state = 'failed') AS failed
          FROM batch) AS batches;
