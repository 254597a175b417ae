-- Changed records replace what was known of them; the dataset keeps its id, whichever organization it is in now.
UPDATE dataset
   SET organization_id = staged.organization_id, slug = staged.slug, title = staged.title,
       description = staged.description, publisher = staged.publisher, kind = staged.kind,
       keywords = staged.keywords, themes = staged.themes, issued = staged.issued,
       modified = staged.modified, license = staged.license, access_level = staged.access_level,
       spatial = staged.spatial, temporal = staged.temporal, landing_page = staged.landing_page,
       collection = staged.collection, notes = staged.notes, raw = staged.raw,
       record_hash = staged.record_hash, changed_at = now()
  FROM staged_dataset AS staged
 WHERE dataset.id = staged.id
   AND dataset.record_hash <> staged.record_hash;
