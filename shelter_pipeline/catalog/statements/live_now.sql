-- What goes on as of this moment, from small tables and indexes of what is alive. `stored` and `bytes` are of files that
-- were not held when captures up to an id were counted, at most so many captures after it.
SELECT now() AS now,
       (SELECT count(*) FROM claim WHERE state = 'held' AND lease_until > now() AND node_id IS NULL) AS fetching,
       (SELECT count(*) FROM claim WHERE state = 'held' AND lease_until > now() AND node_id IS NOT NULL) AS at_nodes,
       (SELECT count(*) FROM batch WHERE state = 'running') AS running_batches,
       (SELECT count(*) FROM node) AS nodes,
       (SELECT count(*) FROM node
         WHERE NOT blocked AND signed_off_at IS NULL
           AND last_seen_at > now() - make_interval(secs => :active_seconds)) AS active_nodes,
       (SELECT count(*) FROM worker
         WHERE beat_at > now() - make_interval(secs => :silent_seconds)) AS workers,
       fresh.stored, fresh.bytes
  FROM (SELECT count(*) AS stored, coalesce(sum(first.size), 0)::bigint AS bytes
          FROM (SELECT DISTINCT ON (later.asset_id) later.asset_id, later.size
                  FROM (SELECT asset_id, size, verdict, late
                          FROM capture
                         WHERE id > :newest
                         ORDER BY id
                         LIMIT :most) AS later
                 WHERE later.verdict = 'stored' AND NOT later.late
                   -- One by one by index, however many there are: as a join it would read all captures that ever were.
                   AND (SELECT before.id
                          FROM capture AS before
                         WHERE before.asset_id = later.asset_id
                           AND before.id <= :newest
                           AND before.verdict = 'stored' AND NOT before.late
                         LIMIT 1) IS NULL
                 ORDER BY later.asset_id) AS first) AS fresh;
