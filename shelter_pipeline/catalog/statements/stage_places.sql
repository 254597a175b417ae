-- An empty staging table that vanishes with the transaction, whatever ends it.
CREATE TEMPORARY TABLE staged_place (
    resource_id bigint, dataset_id bigint, url text, url_hash bytea, host text, kind text, rule text, repair text,
    listed text
) ON COMMIT DROP;
