-- How the server of this database is set up and used, and what our role may do there. Changes nothing and needs no
-- table of ours.
SELECT current_setting('server_version') AS version,
       CAST(current_setting('server_version_num') AS integer) AS version_number,
       current_setting('TimeZone') AS time_zone,
       pg_encoding_to_char((SELECT encoding FROM pg_database WHERE datname = current_database())) AS encoding,
       pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' AS read_only,
       current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'
           AND current_setting('synchronous_commit') <> 'off' AS durable,
       CAST(current_setting('max_connections') AS integer)
           - CAST(current_setting('superuser_reserved_connections') AS integer) AS most_connections,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
       CAST(current_user AS text) AS role,
       CASE WHEN to_regclass('claim') IS NOT NULL
            THEN has_table_privilege(to_regclass('claim'), 'INSERT, UPDATE') END AS may_write,
       has_schema_privilege(current_schema(), 'CREATE') AS may_migrate,
       pg_database_size(current_database()) AS bytes,
       extract(epoch FROM clock_timestamp())::double precision AS clock;
