-- Whether Dagster's tables are in this database, and our role may write an event there.
SELECT to_regclass('event_logs') IS NOT NULL AND to_regclass('runs') IS NOT NULL AS has_tables,
       CASE WHEN to_regclass('event_logs') IS NOT NULL
            THEN has_table_privilege(to_regclass('event_logs'), 'INSERT') END AS may_write;
