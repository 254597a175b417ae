-- A holder ends: none of its slots is left.
DELETE FROM host_slot WHERE holder = :holder;
