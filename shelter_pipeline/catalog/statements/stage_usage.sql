-- Empty staging table that vanishes with the transaction, whatever ends it.
CREATE TEMPORARY TABLE staged_usage (
    link text, page text, page_host text, page_slug text, events bigint
) ON COMMIT DROP;
