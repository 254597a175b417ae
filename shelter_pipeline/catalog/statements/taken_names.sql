-- Which of these nicknames somebody has, whatever their capitals.
SELECT name
  FROM node
 WHERE lower(name) IN (SELECT lower(wanted) FROM unnest(CAST(:names AS text[])) AS wanted);
