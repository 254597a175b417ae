-- How many nodes joined from one network within a day.
SELECT count(*) AS nodes
  FROM node
 WHERE network = :network
   AND registered_at > now() - interval '1 day';
