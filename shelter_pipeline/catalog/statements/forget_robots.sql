-- The robots.txt of the host are asked for again by whoever wants the host next.
DELETE FROM host_robots WHERE host = :name;
