-- Every holder with its URLs, and the files and bytes of ours that are among them.
SELECT holding.holder, count(*) AS urls, count(asset.id) AS matched_files,
       CAST(least(coalesce(sum(coalesce(asset.size, asset.expected_size, asset.estimated_size)), 0),
                  9223372036854775807) AS bigint) AS matched_bytes,
       min(holding.held_at) AS oldest, max(holding.held_at) AS newest
  FROM holding
  LEFT JOIN asset ON asset.url_hash = holding.url_hash
 GROUP BY holding.holder
 ORDER BY matched_files DESC, holding.holder;
