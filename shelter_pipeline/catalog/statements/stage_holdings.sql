-- Empty staging table that vanishes with the transaction, whatever ends it.
CREATE TEMPORARY TABLE staged_holding (
    url text, url_hash bytea, holder text, sha256 text, held_at timestamptz
) ON COMMIT DROP;
