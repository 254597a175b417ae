-- A person wants this organization now: its waiting batches go to the front and are due at once.
UPDATE batch
   SET urgent = true, not_before = now()
 WHERE organization_id = :organization_id
   AND state = 'planned';
