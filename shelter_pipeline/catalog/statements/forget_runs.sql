-- Runs that have been given up are not looked at again, unless their worker speaks again.
DELETE FROM run_beat WHERE run_id = ANY (:run_ids);
