-- For the rest of the transaction: tables are read whole, once, and joined in memory. What the planner thinks of the
-- rows between the steps of a rebuild is far from true, and it would look up each of millions.
SELECT set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true) AS merges,
       set_config('work_mem', '128MB', true) AS memory, set_config('jit', 'off', true) AS compiled;
