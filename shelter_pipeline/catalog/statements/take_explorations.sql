-- Places with something to read that nobody works on, for so long as the lease; a place whose last round has ended
-- begins a new one. Every host has its first place before any has its second, and no host stands before another, so
-- that none keeps another waiting. The token fences late writers off.
WITH RECURSIVE place AS (
    (SELECT host FROM exploration ORDER BY host LIMIT 1)
    UNION ALL
    SELECT (SELECT later.host FROM exploration AS later WHERE later.host > place.host ORDER BY later.host LIMIT 1)
      FROM place
     WHERE place.host IS NOT NULL
), candidate AS MATERIALIZED (
    SELECT due.id
      FROM place
     CROSS JOIN LATERAL (
           SELECT mine.id, row_number() OVER () AS number
             FROM (SELECT exploration.id
                     FROM exploration
                    WHERE exploration.host = place.host
                      AND exploration.due_at <= now()
                      AND (exploration.taken_until IS NULL OR exploration.taken_until < now())
                      AND EXISTS (SELECT FROM resource
                                    JOIN dataset ON dataset.id = resource.dataset_id
                                   WHERE resource.exploration_id = exploration.id
                                     AND resource.listed
                                     AND dataset.portal_id = :portal_id
                                     AND (CAST(:organization_id AS bigint) IS NULL
                                          OR dataset.organization_id = :organization_id))
                    ORDER BY exploration.due_at
                    LIMIT :each) AS mine
     ) AS due
     WHERE place.host IS NOT NULL
       AND place.host <> ALL (:full_hosts)
     ORDER BY due.number, random()
     LIMIT :limit
), picked AS MATERIALIZED (
    SELECT exploration.id
      FROM candidate
      JOIN exploration ON exploration.id = candidate.id
     WHERE exploration.due_at <= now()
       AND (exploration.taken_until IS NULL OR exploration.taken_until < now())
       FOR UPDATE OF exploration SKIP LOCKED
), taken AS (
    UPDATE exploration
       SET taken_until = now() + :lease, token = exploration.token + 1,
           round = exploration.round + (exploration.state = 'ended')::int,
           changed = exploration.changed AND exploration.state <> 'ended', state = 'open'
      FROM picked
     WHERE exploration.id = picked.id
    RETURNING exploration.id, exploration.url, exploration.host, exploration.kind, exploration.rule, exploration.round,
              exploration.token, exploration.dataset_id
)
SELECT taken.id, taken.url, taken.host, taken.kind, taken.rule, taken.round, taken.token, taken.dataset_id,
       coalesce(other.pages, 0) AS other_pages, coalesce(other.files, 0)::bigint AS other_files,
       coalesce(other.bytes, 0)::bigint AS other_bytes
  FROM taken
  LEFT JOIN LATERAL (
       SELECT count(*) AS pages, sum(page.files) AS files, sum(page.known_bytes) AS bytes
         FROM exploration AS sibling
         JOIN exploration_page AS page ON page.exploration_id = sibling.id AND page.round = sibling.round
        WHERE sibling.dataset_id = taken.dataset_id
          AND sibling.id <> taken.id
  ) AS other ON true
 ORDER BY taken.id;
