-- One host or all: those that rest first, then those that a person has set or that were asked too much, then by name.
SELECT host.name AS host,
       CASE WHEN host.rest_until > now() THEN host.rest_until END AS rests_until,
       host.connections, host.delay_seconds, host.robots, host.robots_why, host.robots_who, host.robots_set_at,
       host.strikes, host.connect_failures, host.learned_connections, host.learned_delay_seconds,
       host.latency_seconds, host.crawl_delay_seconds,
       (SELECT count(*) FROM host_slot WHERE host_slot.host = host.name AND lease_until > now()) AS slots_in_use
  FROM host
 WHERE CAST(:host AS text) IS NULL OR host.name = :host
 ORDER BY coalesce(host.rest_until > now(), false) DESC,
          num_nonnulls(host.connections, host.delay_seconds, host.robots) > 0 OR host.strikes > 0 DESC,
          host.name
 LIMIT :limit;
