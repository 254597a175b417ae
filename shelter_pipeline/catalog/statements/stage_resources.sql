-- Where the resources of changed records are staged: made once a connection, and empty after every transaction.
CREATE TEMPORARY TABLE IF NOT EXISTS staged_resource (
    dataset_id bigint, key text, position integer, role text, url text, name text, description text,
    format text, media_type text, size bigint, checksum text
) ON COMMIT DELETE ROWS;
