-- How a testimony ended; none that has ended ends again.
UPDATE testimony SET finding = :finding, found_at = now() WHERE id = :testimony_id AND finding = 'open';
