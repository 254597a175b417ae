-- Empty staging tables that vanish with the transaction, whatever ends it.
CREATE TEMPORARY TABLE staged_outcome (
    resource_id bigint, classified_as text, rule text, outcome text, detail text, passing boolean
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_finding (
    resource_id bigint, url text, url_hash bytea, host text, kind text, format text, media_type text,
    size bigint, checksum text, via text, path text[]
) ON COMMIT DROP;
