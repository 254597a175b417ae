-- Distinct contents by what their proved copies count as, whole copies up to three: how many, and how many of them
-- have a proved copy at all, and one that was proved since a moment.
WITH worth AS (
    SELECT sha256, sum(counts) AS counted, max(verified_at) AS verified_at
      FROM copy
     WHERE state = 'good'
     GROUP BY sha256
)
SELECT CAST(least(floor(coalesce(worth.counted, 0) + 0.000001), 3) AS integer) AS copies,
       count(*) AS contents, least(coalesce(sum(blob.size), 0), 9223372036854775807)::bigint AS bytes,
       count(worth.sha256) AS proved,
       least(coalesce(sum(blob.size) FILTER (WHERE worth.sha256 IS NOT NULL), 0), 9223372036854775807)::bigint
           AS proved_bytes,
       count(*) FILTER (WHERE worth.verified_at > now() - make_interval(days => :days)) AS recent,
       least(coalesce(sum(blob.size) FILTER (WHERE worth.verified_at > now() - make_interval(days => :days)), 0),
             9223372036854775807)::bigint AS recent_bytes
  FROM blob
  LEFT JOIN worth ON worth.sha256 = blob.sha256
 GROUP BY 1
 ORDER BY 1;
