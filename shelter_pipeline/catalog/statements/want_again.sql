-- A person asks for this organization: files that were given up because they ended every worker are tried again, and
-- those that failed for our own reasons are due at once. What a server wished to be left alone for goes on resting.
UPDATE asset
   SET state = 'pending', next_attempt_at = now(),
       attempts = CASE WHEN state = 'dead' THEN 0 ELSE attempts END
 WHERE (state = 'dead' OR (state = 'pending' AND reason = ANY (:our_reasons) AND next_attempt_at > now()))
   AND EXISTS (SELECT FROM asset_resource
                 JOIN resource ON resource.id = asset_resource.resource_id
                 JOIN dataset ON dataset.id = resource.dataset_id
                WHERE asset_resource.asset_id = asset.id
                  AND dataset.organization_id = :organization_id);
