-- The hosts that go by one of these names.
SELECT name FROM host WHERE name = ANY (:names) ORDER BY name;
