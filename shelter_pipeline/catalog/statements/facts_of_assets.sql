-- All that files' scores were made of, but for their datasets: the parts as they were kept, and the facts as they are.
SELECT asset.id AS asset_id, asset.url, asset.host, asset.state, asset.reason, priority.asset_id IS NOT NULL AS scored,
       priority.score, priority.level, priority.excluded, priority.pinned, priority.level_set, priority.boost,
       priority.popularity, priority.threat, priority.relevance, priority.scarcity, priority.staleness,
       priority.smallness, priority.completeness, priority.scored_at, organization.key AS organization,
       coalesce(asset.size, asset.expected_size, asset.estimated_size) AS bytes,
       CASE WHEN asset.size IS NOT NULL THEN 'held' WHEN asset.expected_size IS NOT NULL THEN 'promised'
            WHEN asset.estimated_size IS NOT NULL THEN 'estimated' END AS bytes_are,
       (SELECT round(sum(counts) * 100) / 100 FROM copy WHERE copy.sha256 = asset.sha256 AND copy.state = 'good') AS copies,
       (SELECT array_agg(holder ORDER BY holder) FROM holding WHERE holding.url_hash = asset.url_hash) AS holders,
       (SELECT max(capture.finished_at) FROM capture
         WHERE capture.asset_id = asset.id AND capture.verdict IN ('stored', 'unchanged')) AS captured_at,
       asset.listed_modified, probe.alarm, probe.reason AS probe_reason,
       host_signal.looked_at AS host_looked_at, host_signal.dead AS host_dead, host_signal.threat AS host_threat,
       (SELECT loss.state FROM loss
         WHERE loss.asset_id = asset.id AND loss.state IN ('suspected', 'confirmed') LIMIT 1) AS lost,
       (asset.state <> 'held' AND asset.reason = ANY (CAST(:dead_reasons AS text[]))) AS dead
  FROM asset
  LEFT JOIN priority ON priority.asset_id = asset.id
  LEFT JOIN organization ON organization.id = priority.organization_id
  LEFT JOIN probe ON probe.asset_id = asset.id
  LEFT JOIN host_signal ON host_signal.host = asset.host
 WHERE asset.id = ANY (CAST(:asset_ids AS bigint[]));
