-- One exploration for each distinct place; who comes later shares it.
INSERT INTO exploration (url, url_hash, host, dataset_id, kind, rule)
SELECT DISTINCT ON (url_hash) url, url_hash, host, dataset_id, kind, rule
  FROM staged_place
 ORDER BY url_hash, resource_id
    ON CONFLICT (url_hash) DO NOTHING;
