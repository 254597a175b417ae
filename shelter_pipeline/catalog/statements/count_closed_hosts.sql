-- Hosts that refuse us, or answer no more, by how many files we lack because of it, with what we hold of them. Reads all
-- files once.
WITH tally AS (
    SELECT asset.host,
           CASE WHEN asset.state <> 'held' AND asset.reason = ANY (CAST(:reasons AS text[])) THEN asset.reason END AS reason,
           count(*) AS files, count(*) FILTER (WHERE asset.state = 'held') AS held_files
      FROM asset
     GROUP BY 1, 2
)
SELECT tally.host, sum(tally.files) FILTER (WHERE tally.reason IS NOT NULL)::bigint AS files,
       jsonb_object_agg(tally.reason, tally.files) FILTER (WHERE tally.reason IS NOT NULL) AS reasons,
       sum(tally.held_files)::bigint AS held_files
  FROM tally
 GROUP BY tally.host
HAVING count(tally.reason) > 0
 ORDER BY sum(tally.files) FILTER (WHERE tally.reason IS NOT NULL) DESC, tally.host
 LIMIT :shown;
