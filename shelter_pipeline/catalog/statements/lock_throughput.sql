-- Whether nobody else counts captures by the hour until this transaction ends. A statement of its own: what is read under
-- the lock has to be read after it was given, or the last portion of another would be counted a second time.
SELECT pg_try_advisory_xact_lock(hashtext('shelter throughput'));
