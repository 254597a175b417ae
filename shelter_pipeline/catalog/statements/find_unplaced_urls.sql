-- What those datasets listed last.
INSERT INTO unplaced_url (loss_id, url)
SELECT DISTINCT unplaced.loss_id, resource.url
  FROM unplaced
  JOIN resource ON resource.dataset_id = unplaced.dataset_id
 WHERE resource.listed
   AND resource.url IS NOT NULL;
