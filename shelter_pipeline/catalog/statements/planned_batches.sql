-- What should run next: the best batch of each host that is not busy, so that one big host does not fill the queue.
SELECT id, key, organization, host, state, attempt, urgent, score, files, bytes
  FROM (SELECT batch.id, batch.key, organization.key AS organization, batch.host, batch.state, batch.attempt,
               batch.urgent, batch.score, batch.files, batch.bytes,
               row_number() OVER (PARTITION BY coalesce(batch.host, batch.key)
                                  ORDER BY batch.urgent DESC, batch.score DESC, batch.id) AS place
          FROM batch
          JOIN organization ON organization.id = batch.organization_id
         WHERE batch.state = 'planned'
           AND batch.not_before <= now()
           AND batch.key <> ALL (:exclude)
           AND (batch.host IS NULL OR batch.host <> ALL (:busy_hosts))) AS waiting
 WHERE place = 1
 ORDER BY urgent DESC, score DESC, id
 LIMIT :limit;
