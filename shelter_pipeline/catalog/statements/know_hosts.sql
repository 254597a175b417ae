-- Every host that is asked is known once; what is known of it stays. In one order, so that writers never deadlock.
INSERT INTO host (name)
SELECT DISTINCT name FROM unnest(CAST(:names AS text[])) AS name ORDER BY name
    ON CONFLICT (name) DO NOTHING;
