-- What is held, harvested and lost, and the volunteers, as figures for a monitoring system, in the columns of
-- `gauges`. One scan of blobs and one of copies; everything else by indexes or from small tables. The age of a
-- harvest that never was complete is the portal's.
WITH copies AS (
    SELECT state, store_id IS NOT NULL AS ours, count(*) AS copies, min(verified_at) AS verified_at
      FROM copy GROUP BY 1, 2
)
SELECT 'shelter_blobs' AS name, 'Distinct contents held.' AS help, NULL AS label, NULL AS kind,
       count(*)::double precision AS value
  FROM blob
UNION ALL
SELECT 'shelter_held_bytes', 'Bytes of distinct contents held.', NULL, NULL, coalesce(sum(size), 0) FROM blob
UNION ALL
SELECT 'shelter_copies', 'Copies by state, in our stores and at nodes.', 'state', state, sum(copies)
  FROM copies GROUP BY state
UNION ALL
SELECT 'shelter_oldest_proof_age_seconds', 'Since when the copy in our stores that waits longest has not been proved.',
       NULL, NULL, coalesce(extract(epoch FROM now() - min(verified_at)), 0) FROM copies WHERE ours
UNION ALL
SELECT 'shelter_harvest_age_seconds', 'Since a portal''s last complete harvest ended.', 'portal', portal.slug,
       extract(epoch FROM now() - coalesce(
           (SELECT max(harvest.finished_at) FROM harvest
             WHERE harvest.portal_id = portal.id AND harvest.verdict IN ('complete', 'plausible')), portal.added_at))
  FROM portal WHERE nightly
UNION ALL
SELECT 'shelter_harvests', 'Harvests of the last seven days by verdict.', 'verdict', verdict, count(*)
  FROM harvest WHERE started_at > now() - interval '7 days' GROUP BY verdict
UNION ALL
SELECT 'shelter_losses', 'Losses by state; withheld: so many at once that a fault is likelier.', 'state', state, count(*)
  FROM loss GROUP BY state
UNION ALL
SELECT 'shelter_nodes', 'Nodes by what they do.', 'state',
       CASE WHEN blocked THEN 'blocked' WHEN signed_off_at IS NOT NULL THEN 'signed-off'
            WHEN last_seen_at > now() - interval '1 hour' THEN 'active' ELSE 'silent' END, count(*)
  FROM node GROUP BY 4
UNION ALL
SELECT 'shelter_open_proofs', 'What nodes have still to prove, by kind.', 'kind', kind, count(*)
  FROM proof WHERE state = 'open' GROUP BY kind
ORDER BY 1, 4;
