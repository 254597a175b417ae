-- Empty staging table that vanishes with the transaction, whatever ends it.
CREATE TEMPORARY TABLE restored_resource (
    dataset_id bigint, key text, classified_as text, rule text, outcome text, outcome_detail text,
    discovered_at timestamptz, links bigint, is_unlisted boolean, position integer, role text, url text, name text,
    description text, format text, media_type text, size bigint, checksum text
) ON COMMIT DROP;
