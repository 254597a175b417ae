-- Held files by how many proved copies there are of their bytes, as far as copies of silent nodes count; of each number
-- some files by which to see what that means. Reads every copy.
WITH worth AS MATERIALIZED (
    SELECT copy.sha256, sum(copy.counts) AS copies
      FROM copy
     WHERE copy.state = 'good'
     GROUP BY copy.sha256
), kept AS MATERIALIZED (
    SELECT asset.id, asset.size, least(floor(coalesce(worth.copies, 0) + 0.000001), :most)::int AS copies
      FROM asset
      LEFT JOIN worth ON worth.sha256 = asset.sha256
     WHERE asset.state = 'held'
)
SELECT kept.copies, count(*) AS files, coalesce(sum(kept.size), 0)::bigint AS bytes,
       CASE WHEN kept.copies = 0
            THEN ARRAY(SELECT id FROM kept AS one WHERE one.copies = 0 ORDER BY id LIMIT :shown)
            ELSE '{}' END AS first
  FROM kept
 GROUP BY kept.copies
 ORDER BY kept.copies;
