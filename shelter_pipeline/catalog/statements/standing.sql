-- How a database stands, whether or not Shelter was ever there: one row, read from system tables alone.
SELECT now() AS at,
       current_setting('server_version_num')::int / 10000 AS server_major,
       (SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')) AS tables,
       to_regclass('alembic_version') IS NOT NULL AS is_migrated;
