-- The state of the rescue as figures for a monitoring system: name, what it says, kind, value. One scan of assets and
-- one of blobs; everything else by partial indexes or from small tables.
WITH files AS (
    SELECT state, reason, count(*) AS files FROM asset GROUP BY state, reason
)
SELECT 'shelter_files' AS name, 'Files by state.' AS help, state AS kind, sum(files)::double precision AS value
  FROM files GROUP BY state
UNION ALL
SELECT 'shelter_files_by_reason', 'Files by the reason of their last verdict.', reason, sum(files)::double precision
  FROM files WHERE reason IS NOT NULL GROUP BY reason
UNION ALL
SELECT 'shelter_blobs', 'Distinct contents held.', NULL, count(*)::double precision FROM blob
UNION ALL
SELECT 'shelter_held_bytes', 'Bytes of distinct contents held.', NULL, coalesce(sum(size), 0)::double precision FROM blob
UNION ALL
SELECT 'shelter_live_claims', 'Claims whose lease runs, by who holds them.',
       CASE WHEN node_id IS NULL THEN 'batch' ELSE 'node' END, count(*)::double precision
  FROM claim WHERE state = 'held' GROUP BY 3
UNION ALL
SELECT 'shelter_batches', 'Batches by state.', state, count(*)::double precision FROM batch GROUP BY state
UNION ALL
SELECT 'shelter_nodes', 'Nodes by what they do.',
       CASE WHEN blocked THEN 'blocked' WHEN signed_off_at IS NOT NULL THEN 'signed-off'
            WHEN last_seen_at > now() - interval '1 hour' THEN 'active' ELSE 'silent' END, count(*)::double precision
  FROM node GROUP BY 3
UNION ALL
SELECT 'shelter_open_proofs', 'What nodes have still to prove, by kind.', kind, count(*)::double precision
  FROM proof WHERE state = 'open' GROUP BY kind
ORDER BY 1, 3;
