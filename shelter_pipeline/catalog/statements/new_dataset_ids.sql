-- Ids for records that are new, so that they and what belongs to them are loaded without a detour.
SELECT nextval(pg_get_serial_sequence('dataset', 'id')) FROM generate_series(1, :count);
