-- Empty staging tables that vanish with the transaction, whatever ends it.
CREATE TEMPORARY TABLE staged_dataset (
    portal_id bigint, organization_id bigint, identifier text, slug text, title text, description text,
    publisher text, kind text, keywords text[], themes text[], popularity bigint, issued timestamptz,
    modified timestamptz, license text, access_level text, spatial text, temporal text, landing_page text,
    collection text, notes jsonb, raw text, record_hash bytea
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_resource (
    identifier text, key text, position integer, role text, url text, name text, description text,
    format text, media_type text, size bigint, checksum text
) ON COMMIT DROP;
