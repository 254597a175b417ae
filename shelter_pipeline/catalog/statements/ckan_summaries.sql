-- What little of datasets a list of names shows, in the order of the ids given.
SELECT dataset.id, dataset.identifier, dataset.slug, dataset.title, dataset.first_seen_at, dataset.changed_at,
       portal.kind AS portal_kind,
       EXISTS (SELECT FROM dataset AS other WHERE other.slug = dataset.slug AND other.id < dataset.id) AS repeated,
       portal.kind = 'ckan'
           AND EXISTS (SELECT FROM dataset AS other
                        WHERE other.portal_id = ANY (ARRAY(SELECT portal.id FROM portal WHERE portal.kind = 'ckan'))
                          AND other.identifier = dataset.identifier
                          AND other.id < dataset.id) AS id_repeated
  FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS wanted (id, place)
  JOIN dataset ON dataset.id = wanted.id
  JOIN portal ON portal.id = dataset.portal_id
 ORDER BY wanted.place;
