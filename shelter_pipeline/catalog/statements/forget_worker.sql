-- A machine that has ended its work is no longer there.
DELETE FROM worker WHERE name = :name;
