-- One row for each URL of a holder: the newest date stands, and the newest hash with it; a telling that knows less
-- than we do takes nothing away, and one that says nothing new is not written. Safe to repeat.
WITH said AS (
    SELECT url_hash, holder, min(url) AS url, max(held_at) AS held_at,
           (array_agg(sha256 ORDER BY held_at DESC NULLS LAST, sha256) FILTER (WHERE sha256 IS NOT NULL))[1] AS sha256
      FROM staged_holding
     GROUP BY url_hash, holder
), merged AS (
    INSERT INTO holding (url, url_hash, holder, sha256, held_at, source)
    -- In one order, so that two imports at once wait for each other instead of blocking each other.
    SELECT url, url_hash, holder, sha256, held_at, :source FROM said ORDER BY url_hash, holder
        ON CONFLICT (url_hash, holder) DO UPDATE
       SET held_at = greatest(excluded.held_at, holding.held_at),
           sha256 = CASE WHEN excluded.held_at >= holding.held_at OR holding.held_at IS NULL
                         THEN coalesce(excluded.sha256, holding.sha256)
                         ELSE coalesce(holding.sha256, excluded.sha256) END,
           source = excluded.source, imported_at = now()
     WHERE (greatest(excluded.held_at, holding.held_at),
            CASE WHEN excluded.held_at >= holding.held_at OR holding.held_at IS NULL
                 THEN coalesce(excluded.sha256, holding.sha256)
                 ELSE coalesce(holding.sha256, excluded.sha256) END)
           IS DISTINCT FROM (holding.held_at, holding.sha256)
    RETURNING xmax = 0 AS is_new
)
SELECT (SELECT count(*) FROM staged_holding) AS rows, written.new, written.renewed,
       told.entries - written.new - written.renewed AS known, told.holders,
       (SELECT count(*) FROM asset WHERE url_hash IN (SELECT url_hash FROM said)) AS matched_assets
  FROM (SELECT count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE NOT is_new) AS renewed FROM merged)
       AS written,
       (SELECT count(*) AS entries, count(DISTINCT holder) AS holders FROM said) AS told;
