-- A worker is no longer at a run; another's beat stays.
DELETE FROM run_beat WHERE run_id = :run_id AND worker = :worker;
