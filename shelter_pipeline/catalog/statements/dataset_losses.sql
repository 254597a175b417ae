-- What was ever lost of one dataset: itself, and its links, newest first, with the evidence.
SELECT loss.id, loss.kind, loss.state, loss.asset_id, asset.url, loss.suspected_at, loss.last_missed_at, loss.misses, loss.decided_at, loss.evidence,
       successor.id AS moved_to_id, successor.slug AS moved_to
  FROM loss
  LEFT JOIN asset ON asset.id = loss.asset_id
  LEFT JOIN dataset AS successor ON successor.id = loss.moved_to_id
 WHERE loss.state <> 'withheld'
   AND (loss.dataset_id = :dataset_id
        OR loss.asset_id IN (SELECT asset_resource.asset_id
                               FROM resource
                               JOIN asset_resource ON asset_resource.resource_id = resource.id
                              WHERE resource.dataset_id = :dataset_id))
 ORDER BY loss.id DESC
 LIMIT :limit;
