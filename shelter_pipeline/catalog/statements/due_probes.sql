-- What is to be probed next, in this order: of each host that may be asked at most so many, first what is wanted and
-- was never probed, of this what has no known size; then what is due; then what we hold and never probed. In turns
-- over the hosts. What a run has taken is passed over. Each host is looked up in two indexes, and no further than it
-- gives enough: the scalar subqueries keep the planner from joining first, which it would do for each file anew where a
-- catalog was filled a moment ago and nothing is known of its tables.
SELECT id
  FROM (SELECT found.id, host.name AS host, found.class,
               row_number() OVER (PARTITION BY host.name ORDER BY found.class, found.place) AS place
          FROM host
         CROSS JOIN LATERAL (
               SELECT id, CASE WHEN state = 'held' THEN 2 ELSE 0 END AS class, row_number() OVER () AS place
                 FROM (SELECT asset.id, asset.state
                         FROM asset
                        WHERE asset.host = host.name
                          AND NOT asset.probed
                          AND asset.state IN ('pending', 'held')
                          AND coalesce((SELECT probe.taken_until FROM probe WHERE probe.asset_id = asset.id),
                                       '-infinity') <= now()
                          AND (CAST(:portal_id AS bigint) IS NULL
                               OR (SELECT true
                                     FROM asset_resource
                                    WHERE asset_resource.asset_id = asset.id
                                      AND (SELECT (SELECT dataset.portal_id
                                                     FROM dataset
                                                    WHERE dataset.id = resource.dataset_id) = :portal_id
                                             FROM resource
                                            WHERE resource.id = asset_resource.resource_id)
                                    LIMIT 1))
                        ORDER BY asset.host, asset.state DESC, (asset.expected_size IS NULL) DESC, asset.id
                        LIMIT :per_host) AS unprobed
               UNION ALL
               SELECT id, 1, row_number() OVER ()
                 FROM (SELECT probe.asset_id AS id
                         FROM probe
                        WHERE probe.host = host.name
                          AND probe.probed_at IS NOT NULL
                          AND probe.due_at <= now()
                          AND (probe.taken_until IS NULL OR probe.taken_until <= now())
                          AND (SELECT asset.state FROM asset WHERE asset.id = probe.asset_id) IN ('pending', 'held')
                          AND (CAST(:portal_id AS bigint) IS NULL
                               OR (SELECT true
                                     FROM asset_resource
                                    WHERE asset_resource.asset_id = probe.asset_id
                                      AND (SELECT (SELECT dataset.portal_id
                                                     FROM dataset
                                                    WHERE dataset.id = resource.dataset_id) = :portal_id
                                             FROM resource
                                            WHERE resource.id = asset_resource.resource_id)
                                    LIMIT 1))
                        ORDER BY probe.host, probe.due_at
                        LIMIT :per_host) AS due
          ) AS found
         WHERE (host.rest_until IS NULL OR host.rest_until <= now())
           AND host.name <> ALL (:busy_hosts)) AS candidate
 WHERE place <= :per_host
 ORDER BY class, place, host
 LIMIT :limit;
