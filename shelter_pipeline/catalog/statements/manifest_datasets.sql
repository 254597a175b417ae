-- What a manifest says of every dataset that lists a file of a batch, or a given file: whose it is, the SHA-256 of the bytes of its
-- record, what discovery made of its resources, to how many files each of them leads, and to which of this batch. A
-- resource that the record does not have any more is told whole.
WITH member AS (
    SELECT asset_id FROM capture WHERE batch_id = :batch_id
     UNION
    SELECT id FROM asset WHERE batch_id = :batch_id
     UNION
    SELECT unnest(CAST(:asset_ids AS bigint[]))
), link AS (
    SELECT asset_resource.resource_id,
           jsonb_agg(jsonb_build_object('url', asset.url, 'via', asset_resource.via, 'why', asset_resource.why,
                                        'path', CASE WHEN asset_resource.page_id IS NULL THEN asset_resource.path
                                                     ELSE way.path END)
                     ORDER BY asset.url) AS assets
      FROM member
      JOIN asset_resource USING (asset_id)
      JOIN asset ON asset.id = member.asset_id
     CROSS JOIN LATERAL (
           WITH RECURSIVE above AS (
               SELECT page.parent_id, page.url, 0 AS distance
                 FROM exploration_page AS page
                WHERE page.id = asset_resource.page_id
               UNION ALL
               SELECT page.parent_id, page.url, above.distance + 1
                 FROM above
                 JOIN exploration_page AS page ON page.id = above.parent_id
           )
           SELECT coalesce(array_agg(above.url ORDER BY above.distance DESC)
                               FILTER (WHERE above.url <> asset.url), '{}') AS path
             FROM above
     ) AS way
     GROUP BY asset_resource.resource_id
), listing AS (
    SELECT DISTINCT resource.dataset_id FROM link JOIN resource ON resource.id = link.resource_id
)
SELECT 'dataset' AS line, dataset.identifier, dataset.slug, dataset.title, dataset.kind, dataset.collection,
       encode(sha256(convert_to(dataset.raw, 'UTF8')), 'hex') AS record, sighting.popularity,
       to_char(dataset.first_seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS first_seen_at,
       to_char(dataset.changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS changed_at,
       jsonb_build_object('kind', portal.kind, 'url', portal.url, 'slug', portal.slug, 'nightly', portal.nightly,
                          'delay_seconds', portal.delay_seconds) AS portal,
       jsonb_build_object('slug', organization.slug, 'key', organization.key, 'name', organization.name,
                          'kind', organization.kind) AS organization,
       (SELECT jsonb_agg(
                   jsonb_build_object(
                       'key', resource.key, 'classified_as', resource.classified_as, 'rule', resource.rule,
                       'outcome', resource.outcome, 'outcome_detail', resource.outcome_detail,
                       'discovered_at',
                       to_char(resource.discovered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                       'links', (SELECT count(*) FROM asset_resource WHERE resource_id = resource.id),
                       'assets', coalesce(link.assets, '[]'))
                   || CASE WHEN resource.listed THEN '{}' ELSE jsonb_build_object('unlisted', jsonb_build_object(
                       'position', resource.position, 'role', resource.role, 'url', resource.url,
                       'name', resource.name, 'description', resource.description, 'format', resource.format,
                       'media_type', resource.media_type, 'size', resource.size,
                       'checksum', resource.checksum)) END
                   ORDER BY resource.position, resource.key)
          FROM resource
          LEFT JOIN link ON link.resource_id = resource.id
         WHERE resource.dataset_id = dataset.id
           AND (resource.listed OR link.resource_id IS NOT NULL)) AS resources
  FROM listing
  JOIN dataset ON dataset.id = listing.dataset_id
  JOIN organization ON organization.id = dataset.organization_id
  JOIN portal ON portal.id = dataset.portal_id
  LEFT JOIN sighting ON sighting.dataset_id = dataset.id
 ORDER BY dataset.id;
