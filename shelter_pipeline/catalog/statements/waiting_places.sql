-- Places of a portal that are not read to their end: those that may be read now, and those that rest.
SELECT count(*) FILTER (WHERE exploration.due_at <= now()) AS due,
       count(*) FILTER (WHERE exploration.due_at > now()) AS resting
  FROM exploration
 WHERE exploration.state = 'open'
   AND EXISTS (SELECT FROM resource
                 JOIN dataset ON dataset.id = resource.dataset_id
                WHERE resource.exploration_id = exploration.id
                  AND resource.listed
                  AND dataset.portal_id = :portal_id);
