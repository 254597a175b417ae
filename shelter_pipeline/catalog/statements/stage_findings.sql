-- Empty staging tables that vanish with the transaction, whatever ends it.
CREATE TEMPORARY TABLE staged_outcome (
    resource_id bigint, classified_as text, rule text, repair text, outcome text, detail text, listed text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_finding (
    resource_id bigint, url text, url_hash bytea, host text, kind text, format text, media_type text,
    size bigint, estimated_size bigint, checksum text, via text, why text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_unlinked (asset_id bigint) ON COMMIT DROP;
