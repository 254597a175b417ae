-- This transaction only reads and sees one moment throughout. It may take as long as it takes, and its cursors are
-- read to the end, so plans that are quick to the first row and slow to the last are of no use to it.
SELECT set_config('statement_timeout', '0', true), set_config('jit', 'off', true),
       set_config('cursor_tuple_fraction', '1', true), set_config('plan_cache_mode', 'force_custom_plan', true),
       set_config('work_mem', '64MB', true), set_config('TimeZone', 'UTC', true),
       now() AS at;
