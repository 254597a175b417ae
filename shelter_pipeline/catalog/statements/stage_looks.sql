-- An empty staging table that vanishes with the transaction, whatever ends it.
CREATE TEMPORARY TABLE look (
    asset_id bigint PRIMARY KEY, portal_id bigint, capture_id bigint, reason text, status integer, final_url text,
    finished_at timestamptz, kind text, held boolean
) ON COMMIT DROP;
