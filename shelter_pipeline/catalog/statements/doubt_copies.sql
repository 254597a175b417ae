-- Copies whose challenge was not answered: nobody knows of them any more, and they count for nothing until it is.
UPDATE copy
   SET state = 'claimed', counts = 0, proved_by = NULL
  FROM unnest(CAST(:nodes AS bigint[]), CAST(:digests AS text[])) AS silent (node_id, sha256)
 WHERE copy.node_id = silent.node_id
   AND copy.sha256 = silent.sha256
   AND copy.state = 'good'
RETURNING copy.sha256;
