-- Stand-in for part A: the level of these assets.
INSERT INTO priority (asset_id, score, level)
SELECT asset.id, said.level / 10.0, said.level
  FROM unnest(CAST(:ids AS bigint[]), CAST(:levels AS smallint[])) AS said (id, level)
  JOIN asset ON asset.id = said.id
    ON CONFLICT (asset_id) DO UPDATE SET level = EXCLUDED.level, score = EXCLUDED.score
RETURNING asset_id;
