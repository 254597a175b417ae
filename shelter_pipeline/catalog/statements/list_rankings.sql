-- Every ranking with what was read of its file, what was matched, and how many datasets it ranks.
SELECT ranking.id, name, source, rows, refused, events, matched_rows, matched_events,
       (SELECT count(*) FROM rank WHERE rank.ranking_id = ranking.id) AS datasets, imported_at
  FROM ranking
 ORDER BY name;
