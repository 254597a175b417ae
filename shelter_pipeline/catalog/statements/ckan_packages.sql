-- Datasets with all that a CKAN package is made of, in the order of the ids given. `repeated` and `id_repeated` say that
-- an earlier dataset has the same slug, or the same id of a CKAN.
SELECT dataset.id, dataset.identifier, dataset.slug, dataset.title, dataset.description, dataset.publisher, dataset.kind,
       dataset.keywords, dataset.themes, dataset.license, dataset.landing_page, dataset.raw, dataset.state,
       dataset.first_seen_at, dataset.changed_at,
       portal.slug AS portal, portal.kind AS portal_kind, portal.url AS portal_url,
       organization.id AS organization_id, organization.key AS organization, organization.slug AS organization_slug,
       organization.name AS organization_name, organization.kind AS organization_kind,
       EXISTS (SELECT FROM dataset AS other WHERE other.slug = dataset.slug AND other.id < dataset.id) AS repeated,
       portal.kind = 'ckan'
           AND EXISTS (SELECT FROM dataset AS other
                        WHERE other.portal_id = ANY (ARRAY(SELECT portal.id FROM portal WHERE portal.kind = 'ckan'))
                          AND other.identifier = dataset.identifier
                          AND other.id < dataset.id) AS id_repeated
  FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS wanted (id, place)
  JOIN dataset ON dataset.id = wanted.id
  JOIN portal ON portal.id = dataset.portal_id
  JOIN organization ON organization.id = dataset.organization_id
 ORDER BY wanted.place;
