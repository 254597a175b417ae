-- A worker says that it is at a run.
INSERT INTO run_beat (run_id, worker) VALUES (:run_id, :worker)
ON CONFLICT (run_id) DO UPDATE SET worker = excluded.worker, beat_at = now();
