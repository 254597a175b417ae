-- How many datasets of the portal were listed before, and how many of them this harvest did not see.
SELECT count(*) AS listed,
       count(*) FILTER (WHERE coalesce(sighting.harvest_id, 0) < :harvest_id) AS missing
  FROM dataset
  LEFT JOIN sighting ON sighting.dataset_id = dataset.id
 WHERE dataset.portal_id = :portal_id
   AND dataset.state = 'listed';
