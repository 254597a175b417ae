-- Held files of which one node's word is all we have that their source sent them; some of them, oldest first.
WITH waiting AS MATERIALIZED (
    SELECT testimony.asset_id
      FROM testimony
      JOIN asset ON asset.id = testimony.asset_id AND asset.sha256 = testimony.sha256 AND asset.state = 'held'
     WHERE testimony.finding = 'open'
)
SELECT (SELECT count(DISTINCT asset_id) FROM waiting) AS files,
       ARRAY(SELECT DISTINCT asset_id FROM waiting ORDER BY asset_id LIMIT :shown) AS first;
