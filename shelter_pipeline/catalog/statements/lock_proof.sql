-- The state of a proof, which nobody else changes until this transaction ends.
SELECT state FROM proof WHERE id = :proof_id FOR UPDATE;
