-- A node's trust, and how often it was caught lying lately: since it was last let in again, if it was.
SELECT node.trust,
       (SELECT count(*) FROM node_event
         WHERE node_event.node_id = node.id
           AND node_event.kind = ANY (:lies)
           AND node_event.happened_at > now() - make_interval(days => :days)
           AND node_event.id > coalesce((SELECT max(id) FROM node_event AS word
                                          WHERE word.node_id = node.id AND word.kind = 'unblocked'), 0)) AS lies
  FROM node
 WHERE node.id = :node_id
   FOR UPDATE;
