-- One transaction at a time moves a harvest, and only while it is the one that runs; the row says how far it is.
SELECT verdict, resumed, groups, cursor, seen + refused AS read
  FROM harvest
 WHERE id = :harvest_id
   FOR NO KEY UPDATE;
