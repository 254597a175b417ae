-- What was staged for places that somebody else has taken meanwhile.
WITH ours AS (
    SELECT unnest(CAST(:ours AS bigint[])) AS id
), explorations AS (
    DELETE FROM staged_exploration WHERE id NOT IN (SELECT id FROM ours)
), pages AS (
    DELETE FROM staged_page WHERE exploration_id NOT IN (SELECT id FROM ours)
)
DELETE FROM staged_finding WHERE exploration_id NOT IN (SELECT id FROM ours);
