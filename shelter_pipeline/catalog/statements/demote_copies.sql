-- None of a liar's copies counts until it is proved again. Returns what they were copies of.
UPDATE copy
   SET state = 'claimed', counts = 0, proved_by = NULL
 WHERE node_id = :node_id
   AND state = 'good'
RETURNING sha256;
