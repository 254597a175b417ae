-- The first and the last id of all datasets; none: 0 and 0.
SELECT coalesce(min(id), 0) AS first, coalesce(max(id), 0) AS last FROM dataset;
