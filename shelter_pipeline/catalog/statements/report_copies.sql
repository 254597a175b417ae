-- How many of the held files, of all or of these organizations, have so many copies that count: none, one, two, more.
WITH held AS (
    SELECT asset.id, asset.sha256, asset.size
      FROM asset
     WHERE asset.state = 'held'
       AND (CAST(:organizations AS bigint[]) IS NULL
            OR asset.id IN
-- include files_in_scope
           )
), counted AS (
    SELECT copy.sha256, sum(copy.counts) AS copies
      FROM copy
     WHERE copy.state = 'good'
     GROUP BY copy.sha256
)
SELECT least(floor(coalesce(counted.copies, 0) + 0.000001), 3)::int AS copies, count(*) AS files,
       least(coalesce(sum(held.size), 0), 9223372036854775807)::bigint AS bytes
  FROM held
  LEFT JOIN counted ON counted.sha256 = held.sha256
 GROUP BY 1
 ORDER BY 1;
