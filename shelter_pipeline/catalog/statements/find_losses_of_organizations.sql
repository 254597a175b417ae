-- The same of what these organizations list, found from their datasets and files: costs what they have, and not what was
-- lost elsewhere.
SELECT loss.id
  FROM (SELECT lost.id
          FROM dataset
          JOIN loss AS lost ON lost.dataset_id = dataset.id
         WHERE dataset.organization_id = ANY (CAST(:organizations AS bigint[]))
        UNION ALL
        SELECT lost.id
          FROM
-- include files_in_scope
               AS file
          JOIN loss AS lost ON lost.asset_id = file.id) AS mine
  JOIN loss ON loss.id = mine.id
  LEFT JOIN portal ON portal.id = loss.portal_id
 WHERE
-- include losses_asked_for
 ORDER BY loss.id DESC
 LIMIT :limit;
