-- Which life of the catalog this is: 0 until it was first restored from a backup, then a number of each restore's own.
SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('claim', 'token')::regclass), 0) / 1000000000 AS era;
