-- The files of a batch that are still wanted.
SELECT id FROM asset WHERE batch_id = :batch_id AND state = 'pending' ORDER BY id;
