-- What a page says of the size of a file that nobody has weighed.
UPDATE asset
   SET estimated_size = staged_finding.estimated_size
  FROM staged_finding
 WHERE asset.url_hash = staged_finding.url_hash
   AND asset.estimated_size IS NULL
   AND staged_finding.estimated_size IS NOT NULL;
