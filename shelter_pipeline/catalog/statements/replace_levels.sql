-- Levels that somebody sets by the API, each in place of the one set before for the same file; levels set by others
-- stay. Files that are not known are left out. The same level of the same file by the same name is set once.
WITH wanted AS (
    SELECT DISTINCT ON (told.asset_id) told.asset_id, told.level
      FROM unnest(CAST(:asset_ids AS bigint[]), CAST(:levels AS int[])) WITH ORDINALITY AS told (asset_id, level, place)
      JOIN asset ON asset.id = told.asset_id
     ORDER BY told.asset_id, told.place DESC
), standing AS (
    SELECT override.id, override.asset_id, override.amount
      FROM override
      JOIN wanted ON wanted.asset_id = override.asset_id
     WHERE override.action = 'set' AND override.who = :who AND override.revoked_at IS NULL
       AND (override.until IS NULL OR override.until > now())
       FOR UPDATE OF override
), replaced AS (
    UPDATE override
       SET revoked_at = now(), revoked_by = :who
      FROM standing
      JOIN wanted ON wanted.asset_id = standing.asset_id
     WHERE override.id = standing.id AND standing.amount <> wanted.level
), said AS (
    INSERT INTO override (action, amount, asset_id, who, why)
    SELECT 'set', level, asset_id, :who, :why
      FROM wanted
     WHERE NOT EXISTS (SELECT FROM standing WHERE standing.asset_id = wanted.asset_id AND standing.amount = wanted.level)
)
SELECT asset_id FROM wanted ORDER BY asset_id;
