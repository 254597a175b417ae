-- For the rest of the transaction: whole tables are joined by hash in memory, by `processes` more than one. Compiling the
-- plan would cost more than it saves, and a plan made for all assets is none for a few. The planner thinks that all rows
-- have to be handed over between processes, because it cannot know that few of them have changed.
SELECT set_config('work_mem', :work_mem, true), set_config('jit', 'off', true),
       set_config('max_parallel_workers_per_gather', CAST(CAST(:processes AS int) AS text), true),
       set_config('parallel_tuple_cost', '0', true),
       set_config('plan_cache_mode', 'force_custom_plan', true);
