-- Whether anybody holds or awaits the lock under which this database is migrated; takes no lock itself. A key of 64 bits
-- stands in two halves (PostgreSQL, the view pg_locks).
SELECT EXISTS (
       SELECT FROM pg_locks
        WHERE locktype = 'advisory'
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND classid = (CAST(:lock AS bigint) >> 32) & 4294967295
          AND objid = CAST(:lock AS bigint) & 4294967295
          AND objsubid = 1
);
