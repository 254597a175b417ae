-- For the rest of the transaction: whole tables are joined by hash in memory. Compiling the plan would cost more than it
-- saves, and a plan made for all assets is none for a few. One process a statement: several statements run at once.
SELECT set_config('work_mem', :work_mem, true), set_config('jit', 'off', true),
       set_config('max_parallel_workers_per_gather', '0', true),
       set_config('plan_cache_mode', 'force_custom_plan', true);
