-- The work and who does it, as figures for a monitoring system: name, what it says, its label, the label's value, the
-- figure. One scan of assets and one of claims; everything else by partial indexes or from small tables.
WITH files AS (
    SELECT state, reason, count(*) AS files,
           count(*) FILTER (WHERE state <> 'dead' AND next_attempt_at <= now()) AS due
      FROM asset GROUP BY state, reason
), claims AS (
    SELECT state, node_id IS NULL AS of_batch, count(*) AS claims,
           count(*) FILTER (WHERE lease_until <= now()) AS over,
           count(*) FILTER (WHERE lease_until BETWEEN now() AND now() + interval '1 minute') AS ending
      FROM claim GROUP BY 1, 2
), due_batches AS (
    SELECT count(*) AS batches, min(not_before) AS since
      FROM batch WHERE state = 'planned' AND not_before <= now()
), hosts AS (
    SELECT CASE WHEN host.rest_until > now() THEN 'resting'
                WHEN host.waiting_at > now() - interval '1 minute' THEN 'at-limit'
                WHEN slots.host IS NOT NULL THEN 'busy' ELSE 'idle' END AS state
      FROM host
      LEFT JOIN (SELECT DISTINCT host FROM host_slot WHERE lease_until > now()) AS slots ON slots.host = host.name
), machines AS (
    SELECT CASE WHEN beat_at < now() - make_interval(secs => :silent_seconds) THEN 'silent'
                WHEN ending THEN 'ending' ELSE 'at-work' END AS state, slots, clock_offset_seconds
      FROM worker
)
SELECT 'shelter_files' AS name, 'Files by state.' AS help, 'state' AS label, state AS kind,
       sum(files)::double precision AS value
  FROM files GROUP BY state
UNION ALL
SELECT 'shelter_files_by_reason', 'Files by the reason of their last verdict.', 'reason', reason, sum(files)
  FROM files WHERE reason IS NOT NULL GROUP BY reason
UNION ALL
SELECT 'shelter_due_files', 'Files whose next attempt is due, by state.', 'state', state, sum(due)
  FROM files GROUP BY state
UNION ALL
SELECT 'shelter_batches', 'Batches by state.', 'state', state, count(*) FROM batch GROUP BY state
UNION ALL
SELECT 'shelter_due_batches', 'Batches that wait and are due.', NULL, NULL, batches FROM due_batches
UNION ALL
SELECT 'shelter_oldest_due_batch_age_seconds', 'How long the batch that is due longest has been; 0 without one.', NULL,
       NULL, coalesce(extract(epoch FROM now() - since), 0) FROM due_batches
UNION ALL
SELECT 'shelter_live_claims', 'Claims that are held, by who holds them.', 'holder',
       CASE WHEN of_batch THEN 'batch' ELSE 'node' END, claims
  FROM claims WHERE state = 'held'
UNION ALL
SELECT 'shelter_ending_claims', 'Claims whose lease ends within a minute unless it is renewed.', NULL, NULL,
       coalesce(sum(ending), 0) FROM claims WHERE state = 'held'
UNION ALL
SELECT 'shelter_overdue_claims', 'Claims whose lease is over and that nobody has taken back yet.', NULL, NULL,
       coalesce(sum(over), 0) FROM claims WHERE state = 'held'
UNION ALL
SELECT 'shelter_ended_claims_total', 'Claims by how they ended: settled, given back, or run out.', 'state', state,
       sum(claims)
  FROM claims WHERE state <> 'held' GROUP BY state
UNION ALL
SELECT 'shelter_hosts', 'Hosts by what they do; at-limit: somebody waited for a slot within the minute.', 'state', state,
       count(*)
  FROM hosts GROUP BY state
UNION ALL
SELECT 'shelter_workers', 'Machines of the fleet by state.', 'state', state, count(*) FROM machines GROUP BY state
UNION ALL
SELECT 'shelter_worker_slots', 'Runs that the machines at work can take at once.', NULL, NULL, coalesce(sum(slots), 0)
  FROM machines WHERE state = 'at-work'
UNION ALL
SELECT 'shelter_worker_clock_offset_seconds', 'The largest offset of a machine''s clock from the database''s.', NULL,
       NULL, coalesce(max(abs(clock_offset_seconds)), 0) FROM machines WHERE state <> 'silent'
UNION ALL
SELECT 'shelter_runs', 'Runs of Dagster by whether their machine is heard of.', 'state',
       CASE WHEN beat_at < now() - make_interval(secs => :silent_seconds) THEN 'silent' ELSE 'at-work' END, count(*)
  FROM run_beat GROUP BY 4
UNION ALL
SELECT 'shelter_alerts', 'Troubles that last, by kind.', 'kind', kind, count(*)
  FROM alert WHERE cleared_at IS NULL GROUP BY kind
UNION ALL
SELECT 'shelter_alert_channel_failures', 'Messages in a row that a channel of alerts did not take.', 'channel', name,
       failures
  FROM alert_channel
UNION ALL
SELECT 'shelter_alerts_looked_seconds', 'Seconds since Dagster last looked for troubles.', NULL, NULL,
       extract(epoch FROM now() - looked_at)
  FROM alert_look
ORDER BY 1, 4;
