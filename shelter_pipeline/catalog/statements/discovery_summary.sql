-- Resources of a portal by what they are and what came of them.
SELECT coalesce(classified_as, 'not looked at') AS kind, coalesce(outcome, '') AS outcome, count(*) AS resources
  FROM resource
  JOIN dataset ON dataset.id = resource.dataset_id
 WHERE dataset.portal_id = :portal_id
   AND resource.listed
 GROUP BY 1, 2
 ORDER BY 3 DESC, 1, 2;
