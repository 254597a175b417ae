-- Empty staging tables that vanish with the transaction, whatever ends it.
CREATE TEMPORARY TABLE staged_exploration (
    id bigint, token bigint, concluded boolean, outcome text, detail text, ended boolean, rest interval
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_page (
    id bigint, exploration_id bigint, url text, url_hash bytea, parent_id bigint, round integer, depth integer,
    hops integer, why text, label text, reader text, headers jsonb, state text, what text, reason text, detail text,
    files bigint, data_files bigint, known_bytes bigint, left_behind jsonb, digest bytea, attempts integer, rest interval
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_finding (
    exploration_id bigint, page_id bigint, resource_id bigint, url text, url_hash bytea, host text, kind text,
    format text, media_type text, size bigint, estimated_size bigint, listed_modified timestamptz, checksum text, via text, why text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_unlinked (asset_id bigint) ON COMMIT DROP;
