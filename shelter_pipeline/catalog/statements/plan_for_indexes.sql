-- For the rest of the transaction: what a merge asks for is few of many rows, most of them in memory. Without this the
-- planner, which thinks of turning disks, would rather read a whole table for every group.
SELECT set_config('random_page_cost', '1.1', true);
