-- A machine says that it is there, by the database's clock; one that was silent for a day is forgotten.
-- Told back is how far its clock is ahead.
WITH gone AS (
    DELETE FROM worker WHERE beat_at < now() - interval '1 day' AND name <> :name
)
INSERT INTO worker (name, host, release, slots, queues, clock_offset_seconds, ending)
VALUES (:name, :host, :release, :slots, :queues, :clock - extract(epoch FROM clock_timestamp()), :ending)
ON CONFLICT (name) DO UPDATE
   SET host = excluded.host, release = excluded.release, slots = excluded.slots, queues = excluded.queues,
       clock_offset_seconds = excluded.clock_offset_seconds, ending = excluded.ending, beat_at = now()
RETURNING clock_offset_seconds;
