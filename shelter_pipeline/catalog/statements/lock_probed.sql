-- All assets of a portion in one order, as everybody does who locks many of them, and before their probes.
SELECT count(*) FROM (SELECT asset.id
                        FROM asset
                       WHERE asset.id = ANY (:asset_ids)
                       ORDER BY asset.id
                         FOR NO KEY UPDATE OF asset) AS locked;
