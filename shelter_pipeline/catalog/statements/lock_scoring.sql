-- One scoring at a time: two of them would rewrite the same rows in different orders.
SELECT pg_advisory_xact_lock(:lock);
