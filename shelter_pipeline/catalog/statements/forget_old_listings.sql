-- Lists that harvests of this portal were held against when they were broken off, and never will be again.
DELETE FROM listing_entry
 USING harvest
 WHERE harvest.id = listing_entry.harvest_id
   AND harvest.portal_id = :portal_id
   AND harvest.verdict <> 'running';
