-- Only who holds the token writes: what a slower one has staged is dropped. In order of id, so that writers never
-- deadlock; the answer is those that are still ours.
SELECT exploration.id
  FROM exploration
  JOIN staged_exploration ON staged_exploration.id = exploration.id AND staged_exploration.token = exploration.token
 ORDER BY exploration.id
   FOR NO KEY UPDATE OF exploration;
