-- Empty staging tables that vanish with the transaction, whatever ends it.
CREATE TEMPORARY TABLE restored_asset (
    url text, url_hash bytea, host text, kind text, format text, media_type text, checksum text,
    expected_size bigint, found_at timestamptz
) ON COMMIT DROP;
CREATE TEMPORARY TABLE restored_state (
    url_hash bytea, moment timestamptz, state text, reason text, sha256 text, size bigint, etag text,
    last_modified text, attempts integer, next_attempt_at timestamptz, batch_key text, decided boolean
) ON COMMIT DROP;
CREATE TEMPORARY TABLE restored_capture (
    url_hash bytea, batch_key text, late boolean, verdict text, reason text, detail text, final_url text,
    status integer, heads jsonb, flags text[], requests integer, wire_bytes bigint, sha256 text, size bigint,
    media_type text, started_at timestamptz, finished_at timestamptz
) ON COMMIT DROP;
CREATE TEMPORARY TABLE restored_link (
    dataset_id bigint, resource_key text, url_hash bytea, via text, path text[], why text
) ON COMMIT DROP;
