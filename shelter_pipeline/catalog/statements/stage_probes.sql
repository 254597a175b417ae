-- Empty staging table that vanishes with the transaction, whatever ends it.
CREATE TEMPORARY TABLE staged_probe (
    asset_id bigint PRIMARY KEY, host text, reason text, detail text, status integer, method text, final_url text,
    requests integer, probed_at timestamptz, size bigint, media_type text, etag text, last_modified text,
    accepts_ranges boolean, filename text, change text, interval_seconds double precision,
    rest_seconds double precision, failures integer, alarm text, only_size boolean
) ON COMMIT DROP;
