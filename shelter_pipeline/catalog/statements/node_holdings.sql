-- What nodes hold, by node: one or all. `good` was proved, `claimed` is their word; `counted` is what the proved
-- copies are worth by now. Reads every copy of theirs.
SELECT copy.node_id,
       count(*) FILTER (WHERE copy.state = 'good') AS copies_good,
       coalesce(sum(blob.size) FILTER (WHERE copy.state = 'good'), 0)::bigint AS bytes_good,
       coalesce(sum(copy.counts) FILTER (WHERE copy.state = 'good'), 0)::float AS copies_counted,
       count(*) FILTER (WHERE copy.state = 'claimed') AS copies_claimed,
       coalesce(sum(blob.size) FILTER (WHERE copy.state = 'claimed'), 0)::bigint AS bytes_claimed,
       count(*) FILTER (WHERE copy.state IN ('damaged', 'missing')) AS copies_lost
  FROM copy
  JOIN blob ON blob.sha256 = copy.sha256
 WHERE copy.node_id IS NOT NULL
   AND (CAST(:node_id AS bigint) IS NULL OR copy.node_id = :node_id)
 GROUP BY copy.node_id;
