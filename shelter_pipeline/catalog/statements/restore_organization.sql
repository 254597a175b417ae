-- An organization under the partition key it had, if nobody else has that key by now.
INSERT INTO organization (portal_id, slug, key, name, kind)
VALUES (:portal_id, :slug, :key, :name, :kind)
    ON CONFLICT DO NOTHING;
