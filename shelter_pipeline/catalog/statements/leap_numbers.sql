-- Every counter of the catalog goes on by the same 1 to 1000 thousand million: no token, batch or row gets a number that
-- the lost database may have given out after the backup, and no two restores of one backup go on alike. All counters
-- are bigint, which has room for millions of leaps.
WITH leap AS MATERIALIZED (
    SELECT 1000000000 * (1 + floor(random() * 1000)::bigint) AS width
)
SELECT sequencename, setval(format('%I.%I', schemaname, sequencename)::regclass, coalesce(last_value, 1) + width)
  FROM pg_sequences, leap
 WHERE schemaname = current_schema() AND data_type = 'bigint'::regtype;
