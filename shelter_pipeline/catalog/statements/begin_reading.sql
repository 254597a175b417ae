-- This transaction only reads, for so many milliseconds at most, and every question gets a plan of its own: what is
-- right for the filter that leaves half of a table is wrong for the one that leaves nothing. Scans begin where the
-- table does, so that the same question meets the same rows first. Whoever changes the schema is not waited for to the
-- end: half of the time is for locks.
SELECT set_config('transaction_read_only', 'on', true), set_config('plan_cache_mode', 'force_custom_plan', true),
       set_config('jit', 'off', true), set_config('synchronize_seqscans', 'off', true),
       set_config('statement_timeout', :milliseconds, true), set_config('lock_timeout', :lock_milliseconds, true);
