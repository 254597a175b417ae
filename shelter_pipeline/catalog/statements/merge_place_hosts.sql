-- Every host is known once; what an operator set for it stays. In one order, so that writers never deadlock.
INSERT INTO host (name)
SELECT DISTINCT host FROM staged_place ORDER BY host
    ON CONFLICT (name) DO NOTHING;
