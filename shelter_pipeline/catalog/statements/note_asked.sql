-- A person asks for this organization, and wants to see where it stands even if there is nothing to fetch.
UPDATE organization SET asked_at = now() WHERE id = :organization_id;
