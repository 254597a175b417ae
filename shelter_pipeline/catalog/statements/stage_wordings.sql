-- What was found in the words of records, for the length of one transaction.
CREATE TEMPORARY TABLE staged_wording
    (dataset_id bigint NOT NULL, record_at timestamptz NOT NULL, wording real NOT NULL, topics smallint[])
    ON COMMIT DROP;
