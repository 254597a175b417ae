-- The words of datasets of a span of ids whose record is new or another one; rows of unchanged records are not touched.
INSERT INTO dataset_search (dataset_id, record_hash, title, document)
SELECT dataset.id, dataset.record_hash, words.title || words.facets,
       words.title
       || setweight(to_tsvector('english', concat_ws(' ', left(array_to_string(dataset.keywords, ' '), 4000),
                                                     left(organization.name, 500))), 'B')
       || setweight(to_tsvector('english', concat_ws(' ', left(dataset.publisher, 500),
                                                     left(array_to_string(dataset.themes, ' '), 1000))), 'C')
       || setweight(to_tsvector('english', coalesce(left(dataset.description, 4000), '')), 'D')
       || words.facets
  FROM dataset
  JOIN organization ON organization.id = dataset.organization_id
  LEFT JOIN dataset_search AS known ON known.dataset_id = dataset.id
 CROSS JOIN LATERAL (
       SELECT setweight(to_tsvector('english', left(dataset.title, 1000)), 'A') AS title,
              array_to_tsvector(ARRAY['organization=' || dataset.organization_id, 'portal=' || dataset.portal_id,
                                      'kind=' || dataset.kind]) AS facets
 ) AS words
 WHERE dataset.id > :after
   AND dataset.id <= :last
   AND known.record_hash IS DISTINCT FROM dataset.record_hash
    ON CONFLICT (dataset_id) DO UPDATE
   SET record_hash = excluded.record_hash, title = excluded.title, document = excluded.document;
