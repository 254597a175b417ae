-- A report was made from what the catalog said at this moment or later: what changes from now on makes it due again.
UPDATE organization SET reported_at = now() WHERE id = :organization_id;
