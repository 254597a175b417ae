-- Copies of nodes that are to be challenged, the longest unproved of each node first and no node before the others: those
-- that only their node speaks for, and good ones whose last proof is too old, which of little trusted nodes it is soon.
-- Only bytes that this store holds, and only nodes that were here lately: others could not answer.
WITH asked AS MATERIALIZED (
    SELECT node.id, (:least_days + (:most_days - :least_days) * node.trust) * 86400 AS rest_seconds,
           :per_node - (SELECT count(*) FROM proof
                         WHERE proof.node_id = node.id AND proof.kind = 'challenge' AND proof.state = 'open') AS room
      FROM node
     WHERE NOT node.blocked
       AND node.signed_off_at IS NULL
       AND node.last_seen_at > now() - make_interval(days => 4)
)
SELECT due.node_id, due.sha256, due.size
  FROM (SELECT asked.id AS node_id, asked.room, copy.sha256, blob.size,
               row_number() OVER (PARTITION BY asked.id ORDER BY copy.state = 'good', copy.verified_at, copy.id) AS place
          FROM asked
          JOIN copy ON copy.node_id = asked.id
          JOIN blob ON blob.sha256 = copy.sha256
          JOIN copy AS ours ON ours.sha256 = copy.sha256 AND ours.state = 'good'
          JOIN store ON store.id = ours.store_id AND store.name = :store
         WHERE asked.room > 0
           AND (copy.state = 'claimed'
                OR (copy.state = 'good' AND copy.verified_at < now() - make_interval(secs => asked.rest_seconds)))
           AND NOT EXISTS (SELECT FROM proof
                            WHERE proof.node_id = asked.id AND proof.sha256 = copy.sha256 AND proof.kind = 'challenge'
                              AND (proof.state = 'open'
                                   OR (proof.state = 'expired'
                                       AND proof.answered_at > now() - make_interval(days => 1))))) AS due
 WHERE due.place <= due.room
 ORDER BY due.place, due.node_id
 LIMIT :limit;
