-- These files stand in a manifest now.
UPDATE testimony SET manifest = :manifest WHERE id = ANY (:testimony_ids);
