-- The pages of places, those of earlier rounds too, each after the one that led to it.
SELECT id, exploration_id, url, parent_id, round, depth, hops, why, label, reader, headers, state, what, reason, detail,
       files, data_files, known_bytes, left_behind, digest, attempts,
       greatest(extract(epoch FROM next_at - now()), 0)::float AS rest_seconds
  FROM exploration_page
 WHERE exploration_id = ANY (:exploration_ids)
 ORDER BY exploration_id, id;
