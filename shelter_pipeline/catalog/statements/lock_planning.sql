-- One planner an organization at a time: batch numbers rise without gaps or doubles.
SELECT id FROM organization WHERE id = :organization_id FOR UPDATE;
