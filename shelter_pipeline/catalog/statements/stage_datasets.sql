-- Where changed records are staged: made once a connection, and empty after every transaction.
CREATE TEMPORARY TABLE IF NOT EXISTS staged_dataset (
    id bigint, organization_id bigint, slug text, title text, description text, publisher text, kind text,
    keywords text[], themes text[], issued timestamptz, modified timestamptz, license text,
    access_level text, spatial text, temporal text, landing_page text, collection text, notes jsonb,
    raw text, record_hash bytea, changes jsonb, substantive boolean
) ON COMMIT DELETE ROWS;
