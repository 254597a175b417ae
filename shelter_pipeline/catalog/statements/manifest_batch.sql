-- What a manifest says of the batch itself, so that a rebuilt catalog gives its key and number to no other.
SELECT 'batch' AS line, batch.host, batch.number, batch.attempt, batch.files, batch.bytes,
       to_char(batch.planned_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS planned_at,
       jsonb_build_object('kind', portal.kind, 'url', portal.url, 'slug', portal.slug, 'nightly', portal.nightly,
                          'delay_seconds', portal.delay_seconds) AS portal,
       jsonb_build_object('slug', organization.slug, 'key', organization.key, 'name', organization.name,
                          'kind', organization.kind) AS organization
  FROM batch
  JOIN organization ON organization.id = batch.organization_id
  JOIN portal ON portal.id = organization.portal_id
 WHERE batch.id = :batch_id;
