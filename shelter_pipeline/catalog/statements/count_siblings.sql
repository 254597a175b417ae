-- How many lanes of each organization wait: so many times faster they would have their turns, were it not counted.
WITH counted AS MATERIALIZED (
    SELECT id, count(*) OVER (PARTITION BY organization_id) AS siblings FROM lane WHERE waiting
), changed AS MATERIALIZED (
    SELECT lane.id, counted.siblings
      FROM lane
      JOIN counted ON counted.id = lane.id
     WHERE lane.siblings <> counted.siblings
     ORDER BY lane.id
       FOR UPDATE OF lane
)
UPDATE lane SET siblings = changed.siblings FROM changed WHERE lane.id = changed.id;
