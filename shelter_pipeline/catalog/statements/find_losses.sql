-- The ids of losses that fit, newest first, below an id: a page of them. What we hold of each is looked up only where it
-- is asked for. With `window` only so many of the newest are looked through, and there may be more that fit.
SELECT loss.id
  FROM loss
  LEFT JOIN portal ON portal.id = loss.portal_id
 WHERE
-- include losses_asked_for
   AND (CAST(:window AS bigint) IS NULL
        OR loss.id >= coalesce(CAST(:before AS bigint), (SELECT max(id) + 1 FROM loss)) - :window)
   AND (CAST(:organizations AS bigint[]) IS NULL OR EXISTS (
            SELECT FROM
-- include datasets_of_loss
              AS listing
              JOIN dataset ON dataset.id = listing.id
             WHERE dataset.organization_id = ANY (:organizations)))
 ORDER BY loss.id DESC
 LIMIT :limit;
