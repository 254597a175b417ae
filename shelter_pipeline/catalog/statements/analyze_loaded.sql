-- The planner learns what a large harvest has loaded.
ANALYZE dataset, resource, sighting;
