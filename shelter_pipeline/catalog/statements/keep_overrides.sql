-- What words say of each file, where it is not what is kept.
INSERT INTO asset_override (asset_id, boost, pinned, excluded, level_set)
SELECT asset_id, boost, pinned, excluded, level_set FROM staged_override
    ON CONFLICT (asset_id) DO UPDATE
   SET boost = excluded.boost, pinned = excluded.pinned, excluded = excluded.excluded, level_set = excluded.level_set
 WHERE (asset_override.boost, asset_override.pinned, asset_override.excluded, asset_override.level_set)
       IS DISTINCT FROM (excluded.boost, excluded.pinned, excluded.excluded, excluded.level_set);
