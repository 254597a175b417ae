-- What should run next: the best batch of each host that is not busy, so that one big host does not fill the queue, and
-- organizations in turn, so that neither does one big organization: what counts is a batch's score divided by one more
-- than the batches of its organization that run, are in flight (`exclude`) or stand before it here (the method of
-- D'Hondt, by which seats are given to parties). Urgent ones come first, and their host is busy only with what runs or is
-- urgent itself (`taken_hosts`); then those of which every file is pinned.
WITH flying AS (
    SELECT organization_id, count(*) AS batches
      FROM batch
     WHERE state = 'running' OR (state = 'planned' AND key = ANY (:exclude))
     GROUP BY organization_id
), waiting AS (
    SELECT batch.id, batch.key, batch.organization_id, batch.host, batch.state, batch.attempt, batch.urgent, batch.score,
           batch.files, batch.bytes,
           row_number() OVER (PARTITION BY coalesce(batch.host, batch.key)
                              ORDER BY batch.urgent DESC, batch.score DESC, batch.id) AS place
      FROM batch
     WHERE batch.state = 'planned'
       AND batch.not_before <= now()
       AND batch.key <> ALL (:exclude)
       AND (batch.host IS NULL
            OR (batch.host <> ALL (:taken_hosts) AND (batch.urgent OR batch.host <> ALL (:busy_hosts))))
), in_turn AS (
    SELECT waiting.*,
           CASE WHEN waiting.score >= 1 THEN 1
                ELSE waiting.score / (coalesce(flying.batches, 0)
                                      + row_number() OVER (PARTITION BY waiting.organization_id
                                                           ORDER BY waiting.urgent DESC, waiting.score DESC, waiting.id))
           END AS share
      FROM waiting
      LEFT JOIN flying ON flying.organization_id = waiting.organization_id
     WHERE waiting.place = 1
)
SELECT in_turn.id, in_turn.key, organization.key AS organization, in_turn.host, in_turn.state, in_turn.attempt,
       in_turn.urgent, in_turn.score, in_turn.files, in_turn.bytes, in_turn.share
  FROM in_turn
  JOIN organization ON organization.id = in_turn.organization_id
 ORDER BY in_turn.urgent DESC, in_turn.share DESC, in_turn.score DESC, in_turn.id
 LIMIT :limit;
