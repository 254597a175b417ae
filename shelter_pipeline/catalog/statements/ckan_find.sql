-- The dataset that a CKAN client means: by an id of ours, else by name, else by its portal's own id, else by a name or id
-- with our number behind it, else by our number alone. Of several, the first that was ever seen.
SELECT found.id
  FROM (SELECT id, 0 AS way FROM dataset WHERE id = :own
        UNION ALL
        SELECT id, 1 FROM dataset WHERE slug = :given
        UNION ALL
        SELECT id, 2 FROM dataset WHERE portal_id = ANY (ARRAY(SELECT id FROM portal)) AND identifier = :given
        UNION ALL
        SELECT id, 3 FROM dataset WHERE id = :number AND (slug = :stem OR identifier = :stem)
        UNION ALL
        SELECT id, 4 FROM dataset WHERE id = :number AND :stem = '') AS found
 ORDER BY found.way, found.id
 LIMIT 1;
