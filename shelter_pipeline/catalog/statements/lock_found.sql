-- All known assets of a portion in one order, as everybody does who locks many of them: nobody deadlocks.
SELECT count(*) FROM (SELECT asset.id
                        FROM asset
                       WHERE asset.url_hash IN (SELECT url_hash FROM staged_finding)
                       ORDER BY asset.id
                         FOR NO KEY UPDATE OF asset) AS locked;
