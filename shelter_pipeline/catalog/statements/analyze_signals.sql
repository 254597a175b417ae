-- The planner learns how many signals there are, after many new ones.
ANALYZE dataset_signal;
