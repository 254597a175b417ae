-- The ids of losses that fit, newest first, below an id: a page of them. What we hold of each is looked up only where it
-- is asked for: `whole`, `part` or `nothing` of its files.
SELECT loss.id
  FROM loss
  LEFT JOIN portal ON portal.id = loss.portal_id
 WHERE (CAST(:before AS bigint) IS NULL OR loss.id < :before)
   AND loss.state = ANY (CAST(:states AS text[]))
   AND (CAST(:kind AS text) IS NULL OR loss.kind = :kind)
   AND (CAST(:portal AS text) IS NULL OR portal.slug = :portal)
   AND (CAST(:organization AS text) IS NULL OR EXISTS (
            SELECT FROM (SELECT loss.dataset_id AS id
                         UNION ALL
                         SELECT resource.dataset_id
                           FROM asset_resource
                           JOIN resource ON resource.id = asset_resource.resource_id
                          WHERE asset_resource.asset_id = loss.asset_id) AS listing
              JOIN dataset ON dataset.id = listing.id
              JOIN organization ON organization.id = dataset.organization_id
             WHERE organization.key = :organization))
   AND (CAST(:holding AS text) IS NULL OR :holding = (
            SELECT CASE WHEN count(part.sha256) = 0 THEN 'nothing'
                        WHEN count(part.sha256) = count(*) THEN 'whole' ELSE 'part' END
              FROM (SELECT loss.asset_id AS id
                    UNION
                    SELECT asset_resource.asset_id
                      FROM resource
                      JOIN asset_resource ON asset_resource.resource_id = resource.id
                     WHERE resource.dataset_id = loss.dataset_id) AS listed
              JOIN asset AS part ON part.id = listed.id))
 ORDER BY loss.id DESC
 LIMIT :limit;
