-- The node says that it leaves; saying so again changes nothing.
UPDATE node
   SET signed_off_at = now(), last_seen_at = now()
 WHERE id = :node_id
   AND signed_off_at IS NULL;
