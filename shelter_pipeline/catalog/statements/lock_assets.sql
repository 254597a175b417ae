-- All assets of a plan in one order: planners that share files wait for one another, and see what the other wrote.
SELECT count(*) FROM (SELECT id FROM asset WHERE id = ANY (:asset_ids) ORDER BY id FOR UPDATE) AS locked;
