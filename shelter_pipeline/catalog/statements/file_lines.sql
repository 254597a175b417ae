-- Files by their ids, in the order asked for, each with one dataset that lists it: a line of a list.
SELECT asset.id, asset.url, asset.host, asset.state, asset.reason, asset.size,
       coalesce(asset.expected_size, asset.estimated_size) AS expected_size, asset.next_attempt_at,
       asset.attempts, priority.level, owner.dataset_id, owner.title, owner.organization, owner.organization_name
  FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS wanted (id, place)
  JOIN asset ON asset.id = wanted.id
  LEFT JOIN priority ON priority.asset_id = asset.id
-- include owner_of_asset
 ORDER BY wanted.place;
