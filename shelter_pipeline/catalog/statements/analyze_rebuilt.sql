-- The planner learns what a rebuild has loaded.
ANALYZE dataset, resource, sighting, asset, asset_resource, blob, copy, capture;
