-- What one harvest found of each organization; first those that changed, or of which not all was seen, most first.
SELECT organization.key AS organization, organization.name, counted.expected, counted.seen, counted.new,
       counted.changed, counted.moved, counted.delisted, counted.recovered, counted.withheld
  FROM harvest_organization AS counted
  JOIN organization ON organization.id = counted.organization_id
 CROSS JOIN LATERAL (
       SELECT counted.new + counted.changed + counted.delisted + counted.recovered + counted.withheld AS changes,
              abs(coalesce(counted.expected, counted.seen) - counted.seen) AS difference) AS sums
 WHERE counted.harvest_id = :harvest_id
 ORDER BY changes + difference > 0 DESC, changes DESC, difference DESC, organization.key
 LIMIT :limit;
