-- New records are added, changed ones replaced; equal ones are not written. Safe to repeat.
INSERT INTO dataset (
    portal_id, organization_id, identifier, slug, title, description, publisher, kind, keywords, themes,
    popularity, issued, modified, license, access_level, spatial, temporal, landing_page, collection, notes,
    raw, record_hash)
SELECT portal_id, organization_id, identifier, slug, title, description, publisher, kind, keywords, themes,
       popularity, issued, modified, license, access_level, spatial, temporal, landing_page, collection, notes,
       raw, record_hash
  FROM staged_dataset
    ON CONFLICT (portal_id, identifier) DO UPDATE
   SET organization_id = excluded.organization_id, slug = excluded.slug, title = excluded.title,
       description = excluded.description, publisher = excluded.publisher, kind = excluded.kind,
       keywords = excluded.keywords, themes = excluded.themes, popularity = excluded.popularity,
       issued = excluded.issued, modified = excluded.modified, license = excluded.license,
       access_level = excluded.access_level, spatial = excluded.spatial, temporal = excluded.temporal,
       landing_page = excluded.landing_page, collection = excluded.collection, notes = excluded.notes,
       raw = excluded.raw, record_hash = excluded.record_hash, changed_at = now()
 WHERE dataset.record_hash <> excluded.record_hash;
