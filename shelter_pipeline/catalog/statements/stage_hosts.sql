-- How many of a host's files are gone, of those that were ever asked for. A host of which one file of two is gone is
-- not as bad as one of which fifty of a hundred are: ten files more are taken as alive. Steps of 1/50, so that one dead
-- link does not rewrite the scores of a whole host. What an analyst says of a host counts if it is more.
CREATE TEMPORARY TABLE staged_host ON COMMIT DROP AS
SELECT told.host, told.looked_at, told.dead,
       greatest(round(50.0 * told.dead / (told.looked_at + 10)) / 50.0, listed.risk)::real AS threat
  FROM (SELECT asset.host,
               count(*) FILTER (WHERE asset.probed OR asset.reason IS NOT NULL) AS looked_at,
               count(*) FILTER (WHERE failing.asset_id IS NOT NULL
                                OR (asset.state <> 'held' AND asset.reason = ANY (CAST(:dead_reasons AS text[])))) AS dead
          FROM asset
          LEFT JOIN (SELECT asset_id FROM probe WHERE reason = ANY (CAST(:dead_reasons AS text[]))) AS failing
            ON failing.asset_id = asset.id
         GROUP BY asset.host) AS told
  LEFT JOIN LATERAL (
       -- A name stands for its subdomains too, on every port.
       SELECT max(risky.risk) AS risk
         FROM unnest(CAST(:hosts AS text[]), CAST(:host_risks AS real[])) AS risky (name, risk)
        WHERE split_part(told.host, ':', 1) = risky.name OR split_part(told.host, ':', 1) LIKE '%.' || risky.name
       ) AS listed ON true;
